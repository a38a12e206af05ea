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
# Folders, by the file in each that says it is whole and when it was used last; files; and those that name layers.
WHOLE = ("dependencies-*/layer.json", "frontend-*/complete", "node-*/complete", "own-*/*/index.json")
SINGLE = ("projects/*.json", "answers/*.json", "../sbom/*.json")
NAMING = ("dependencies-*/layer.json", "projects/*.json", "answers/*.json")


def archives(folder: Path, app: str) -> None:
    """Keep an app's newest archives; a cluster that has loaded an image needs none, and the layers stay."""
    for path in _newest_first(folder.glob(f"{app}-{'?' * 12}.tar"))[ARCHIVES:]:
        path.unlink(missing_ok=True)


def unused(home: Path, now: float | None = None) -> None:
    """Remove what nobody built with for long: environments, states, answers, front ends, images of projects' own
    Dockerfiles, what was read for an SBOM; and layers that nothing names any more.

    A layer of the last day stays in any case: a build that runs beside this one names it only at its end.
    """
    now = time.time() if now is None else now

    def old(path: Path, age: float = UNUSED) -> bool:
        try:
            return now - path.stat().st_mtime > age
        except FileNotFoundError:  # another build was faster
            return False

    for pattern in WHOLE:
        for mark in filter(old, home.glob(pattern)):
            mark.unlink(missing_ok=True)  # first: without it the folder counts for nothing, should this be cut short
            shutil.rmtree(mark.parent, ignore_errors=True)
    for path in (path for pattern in SINGLE for path in home.glob(pattern)):
        if old(path):
            path.unlink(missing_ok=True)
    named = {digest for pattern in NAMING for kept in home.glob(pattern) for digest in _named(kept)}
    for path in home.glob("layers/*"):
        if path.name not in named and old(path, DAY):
            path.unlink(missing_ok=True)


def _named(kept: Path) -> list[str]:
    """The layers that a remembered state names, as they are called in the store; none where it can't be read."""
    try:
        known = json.loads(kept.read_bytes())
        said = known.get("layers", [known["static"]] if "static" in known else [known])
        return [layer["digest"].removeprefix("sha256:") for layer in said if layer]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []


def _newest_first(paths: Iterable[Path]) -> list[Path]:
    return sorted(paths, key=lambda path: path.stat().st_mtime, reverse=True)
