"""The machine here: what builds images, where there is room for them, and which clusters run here."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from nuages import __version__
from nuages.host import places
from nuages.image.engines import ENGINES
from nuages.release.doctor.findings import Look, broken, poor, works

GROUP = "machine"
ROOM = 3 * 1024**3
"""Bytes that the base and the dependencies of one image may well take."""


class Machine(NamedTuple):
    """What is known of this machine's own clusters."""

    tested: str
    """The version of Kubernetes that nuages runs, and is tested with."""
    clusters: dict[str, str] = {}  # noqa: RUF012 - never written to
    """Those that run here: a context each, and the cluster's name."""


def look(here: Machine, *, builds: bool = True) -> Iterator[Look]:
    """All of it; `builds` is whether images are to be built here."""
    yield works(GROUP, "nuages", f"{__version__}, Python {platform.python_version()}, {platform.machine()}")
    if builds:
        yield _engine()
        yield _room(places.cache())
    if here.clusters:
        yield works(GROUP, "local clusters", ", ".join(here.clusters.values()))


def _engine() -> Look:
    """The first that can be used builds; the others are not needed."""
    troubles = {}
    for kind in ENGINES:
        trouble = kind().trouble()
        if not trouble:
            return works(GROUP, "builds images", kind.name)
        troubles[kind.name] = trouble
    told = "; ".join(f"{name}: {trouble}" for name, trouble in troubles.items())
    return broken(GROUP, "builds images", told, "install buildah, podman or docker; as root on Debian nuages does")


def _room(folder: Path) -> Look:
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free
    said = f"{free / 1024**3:.1f} GiB free for {folder}"
    if free < ROOM:
        return poor(
            GROUP, "room", said, f"make room, or let $XDG_CACHE_HOME name another disk; {folder} may be removed"
        )
    return works(GROUP, "room", said)
