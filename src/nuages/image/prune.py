"""Keeps the cache of builds from growing without end; whatever is removed is only built again when it is asked for."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterable
from pathlib import Path

# Archives of one app: the one that was just built, and those that a person may be comparing it with.
ARCHIVES = 3
DAY = 24 * 3600.0
# A project's state, or a lock's environment, that nobody built with for so long.
UNUSED = 14 * DAY


def archives(folder: Path, app: str) -> None:
    """Keep an app's newest archives; a cluster that has loaded an image needs none, and the layers stay."""
    for path in _newest_first(folder.glob(f"{app}-{'?' * 12}.tar"))[ARCHIVES:]:
        path.unlink(missing_ok=True)


def unused(home: Path, now: float | None = None) -> None:
    """Remove environments and states that were long not used, and layers that nothing names any more.

    A layer of the last day stays in any case: a build that runs beside this one names it only at its end.
    """
    now = time.time() if now is None else now
    for path in home.glob("dependencies-*/layer.json"):
        if now - path.stat().st_mtime > UNUSED:
            shutil.rmtree(path.parent, ignore_errors=True)
    for path in home.glob("projects/*.json"):
        if now - path.stat().st_mtime > UNUSED:
            path.unlink(missing_ok=True)
    for path in [*home.glob("frontend-*/complete"), *home.glob("node-*/complete")]:
        if now - path.stat().st_mtime > UNUSED:
            shutil.rmtree(path.parent, ignore_errors=True)
    named = {
        digest
        for kept in (*home.glob("dependencies-*/layer.json"), *home.glob("projects/*.json"))
        for digest in _named(kept)
    }
    for path in home.glob("layers/*"):
        if path.name not in named and now - path.stat().st_mtime > DAY:
            path.unlink(missing_ok=True)


def _named(kept: Path) -> list[str]:
    """The layers that a remembered state names, as they are called in the store."""
    known = json.loads(kept.read_bytes())
    return [layer["digest"].removeprefix("sha256:") for layer in known.get("layers", [known])]


def _newest_first(paths: Iterable[Path]) -> list[Path]:
    return sorted(paths, key=lambda path: path.stat().st_mtime, reverse=True)
