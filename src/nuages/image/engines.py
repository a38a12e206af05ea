"""chosen(sink) -> Engine: the engine that is there, or the one that NUAGES_ENGINE names."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from nuages.errors import MissingTool, UsageError
from nuages.host import programs
from nuages.image.engine import Engine
from nuages.image.engine_buildah import Buildah
from nuages.image.engine_clients import Docker, Podman
from nuages.progress import Sink, silent

VARIABLE = "NUAGES_ENGINE"
# The first that works is taken: buildah needs no start, podman no daemon.
ENGINES: tuple[type[Engine], ...] = (Buildah, Podman, Docker)
_WAYS = (
    "install buildah, or podman with uidmap, or docker with this user in its group; "
    f"{VARIABLE}=buildah, podman or docker chooses one"
)


def chosen(sink: Sink = silent) -> Engine:
    """The engine for this build. buildah is installed where there is none, as root on Debian.

    Raises:
        UsageError: NUAGES_ENGINE names none.
        MissingTool: none can be used, or not the one that is named.
    """
    name = os.environ.get(VARIABLE, "")
    if name:
        return _named(name)
    if (found := _first()) is not None:
        return found
    # Where something else ails them, one more program would not help; where nothing is there, it does.
    if all(_trouble(kind) == "not installed" for kind in ENGINES) and _may_install():
        programs.ensure({"buildah": "buildah"}, sink)
        forget()
        return chosen(sink)
    told = "; ".join(f"{kind.name}: {_trouble(kind)}" for kind in ENGINES)
    raise MissingTool(f"no container engine can be used here ({told})", hint=_WAYS)


def forget() -> None:
    """Ask anew what is there."""
    _trouble.cache_clear()


def _named(name: str) -> Engine:
    kind = next((kind for kind in ENGINES if kind.name == name), None)
    if kind is None:
        raise UsageError(f"{VARIABLE} is {name}", hint="buildah, podman or docker")
    if trouble := _trouble(kind):
        raise MissingTool(f"{VARIABLE} is {name}, which can't be used here: {trouble}", hint=_WAYS)
    return kind()


def _first() -> Engine | None:
    return next((kind() for kind in ENGINES if not _trouble(kind)), None)


def _may_install() -> bool:
    return os.geteuid() == 0 and Path("/etc/debian_version").exists() and programs.found("apt-get") is not None


@cache
def _trouble(kind: type[Engine]) -> str:
    """Asked once in a process: an engine that is there stays there."""
    return kind().trouble()
