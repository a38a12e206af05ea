"""Names that completion offers: of the spec as long as its file is the same, of the cluster for a few seconds.

Reading a spec takes 100 ms, asking a cluster more; so what was found is kept in the cache, a file for each question,
and reading that takes nothing. Only what is new or old is found anew, by release/naming.py.
"""

from __future__ import annotations

import os
import time
from binascii import crc32

from nuages.cli import cached

TYPE_CHECKING = False  # typing costs 4 ms
if TYPE_CHECKING:
    from nuages.cli.completing import Context

FRESH = 20.0
"""Seconds for which names of a cluster are believed: pods come and go."""

WAIT = 2.0
"""Seconds that a cluster may take to answer; after that the names of before are offered."""

OF_SPEC = {
    "environments": ("environment", "template"),
    "components": ("component",),
    "scales": ("scale",),
    "secrets": ("secret",),
    "services": ("service",),
    "rest": ("job",),
}
"""What a command asks for -> the kinds of names in the spec that answer it."""

OF_CLUSTER = {
    "releases": ("release",),
    "made": ("made",),
    "targets": ("pod",),
    "pods": ("pod",),
}
"""The same, of what is in the cluster."""

GONE = "-"
"""Stands for a file that is not there."""

Named = tuple[str, str, str]
"""Kind, name, and what is said of it."""


def names(kind: str, context: Context) -> list[tuple[str, str]]:
    """Names of one kind, each with what is said of it; none where they can't be known."""
    found: list[Named] = []
    kinds: tuple[str, ...] = ()
    if kind == "contexts":
        kinds, found = ("context",), of_contexts()
    elif kind == "paths":
        return _paths()
    else:
        if kind in OF_SPEC or kind == "targets":
            kinds += OF_SPEC["components" if kind == "targets" else kind]
            found += of_spec(context)
        if kind in OF_CLUSTER:
            kinds += OF_CLUSTER[kind]
            found += of_cluster(context)
    told = {(name, about): None for each, name, about in found if each in kinds}
    return list(told)


def of_spec(context: Context) -> list[Named]:
    """Names in the spec, in one environment of it."""
    file = os.path.abspath(context.file)  # noqa: PTH100 - pathlib costs 10 ms
    sources = [_stamp(file)]
    if sources == [GONE]:
        return []
    kept, stamps, _ = _kept(f"spec {file} {context.environment}")
    if kept is not None and stamps == sources:
        return kept
    from nuages.release import naming

    found = naming.of_spec(file, context.environment)
    if found is None:  # it can't be read just now: half of a line is written
        return kept or []
    _keep(f"spec {file} {context.environment}", sources, found)
    return found


def of_contexts() -> list[Named]:
    """The contexts of the kubeconfig."""
    files = os.environ.get("KUBECONFIG") or os.path.expanduser("~/.kube/config")  # noqa: PTH111
    sources = [_stamp(file) for file in files.split(os.pathsep) if file]
    kept, stamps, _ = _kept(f"contexts {files}")
    if kept is not None and stamps == sources:
        return kept
    from nuages.release import naming

    found = naming.of_contexts(files.split(os.pathsep))
    _keep(f"contexts {files}", sources, found)
    return found


def of_cluster(context: Context) -> list[Named]:
    """Names in the cluster: those kept where they are fresh, or where it does not answer in time."""
    file = os.path.abspath(context.file)  # noqa: PTH100
    if _stamp(file) == GONE:
        return []
    question = f"cluster {file} {context.environment} {context.context} {os.environ.get('KUBECONFIG', '')}"
    kept, _, age = _kept(question)
    if kept is not None and age < FRESH:
        return kept
    found = _asked(context)
    if found is None:  # it is not asked again at each press of the key
        found = kept or []
    _keep(question, [], found)
    return found


def _asked(context: Context) -> list[Named] | None:
    """What the cluster answers; None where it does not, in time."""
    import asyncio
    from pathlib import Path

    import click

    from nuages.app.components import resolve
    from nuages.cli.target import cluster_of
    from nuages.errors import NuagesError
    from nuages.release import naming
    from nuages.spec.load import load

    file = Path(context.file)

    async def ask() -> list[Named]:
        async with cluster_of(app, file, context.context or None) as cluster:
            return await naming.of_cluster(app, cluster)

    try:
        app = resolve(load(file), context.environment)
        return asyncio.run(asyncio.wait_for(ask(), WAIT))
    except (NuagesError, click.ClickException, TimeoutError, OSError):
        return None


def _paths() -> list[tuple[str, str]]:
    from nuages.release import naming

    return naming.of_model()


def _folder() -> str:
    """$XDG_CACHE_HOME/nuages/names, as host/places.py has it."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111
    return os.path.join(base, "nuages", "names")  # noqa: PTH118


def _stamp(file: str) -> str:
    """What tells that a file is the same."""
    try:
        found = os.stat(file)  # noqa: PTH116
    except OSError:
        return GONE
    return f"{found.st_mtime_ns} {found.st_size} {found.st_ino}"


def _place(question: str) -> str:
    return os.path.join(_folder(), f"{crc32(question.encode()):08x}")  # noqa: PTH118


def _kept(question: str) -> tuple[list[Named] | None, list[str], float]:
    """What was found before, of which files, and how many seconds ago; None where nothing was."""
    try:
        text, written = cached.read(_place(question))
        asked, stamps, *lines = text.split("\n")
    except (OSError, ValueError):
        return None, [], 0.0
    if asked != question:
        return None, [], 0.0
    age = time.time() - written
    found: list[Named] = []
    for line in lines:
        kind, _, rest = line.partition("\t")
        name, _, about = rest.partition("\t")
        if name:
            found.append((kind, name, about))
    return found, stamps.split(";") if stamps else [], age if age >= 0 else FRESH


def _keep(question: str, sources: list[str], found: list[Named]) -> None:
    """Write it down for the next press of the key; where that can't be, it is found anew each time."""
    text = "\n".join([question, ";".join(sources), *("\t".join(each) for each in found)])
    try:
        cached.write(_place(question), text)
    except OSError:
        return
