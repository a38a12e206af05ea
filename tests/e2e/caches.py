"""Another cache than this machine's own, for a test that wants something of it forgotten; others build beside."""

from __future__ import annotations

from pathlib import Path

import pytest

from nuages.image import system

LAYERS = "layers"


def forget(names: tuple[str, ...], cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on builds are kept in `cache`, which has all of this one by links, but for these folders.

    Each layer is a link of its own: what tidies up there removes none of ours.
    """
    kept, builds = system.home(), cache / "nuages" / "builds"
    (builds / LAYERS).mkdir(parents=True)
    (builds.parent / "images").symlink_to(kept.parent / "images")
    for path in [*kept.iterdir(), *(kept / LAYERS).iterdir()]:
        if path.name not in (*names, LAYERS):
            (builds / path.relative_to(kept)).symlink_to(path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
