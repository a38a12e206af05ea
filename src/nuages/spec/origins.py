"""origin(spec, environment, path): where in nuages.yaml a value was said; a value that nobody said is a default."""

from __future__ import annotations

from typing import NamedTuple

from nuages.findings import Place
from nuages.spec.document import Document, Path
from nuages.spec.load import Spec

DEFAULT = "default"


class Origin(NamedTuple):
    """Who said a value."""

    source: str
    """`base`, `environments.production`, or `default`."""
    place: Place | None = None


def origin(spec: Spec, environment: str, path: Path) -> Origin:
    """The environment's patch, where it says it; else the base; else nobody."""
    patch = spec.template(environment) or environment
    for prefix, source in ((("environments", patch), f"environments.{patch}"), ((), "base")):
        if place := _said(spec.document, prefix, path):
            return Origin(source, place)
    return Origin(DEFAULT)


def _said(document: Document, prefix: Path, path: Path) -> Place | None:
    """The place of a path, where it is written; a scalar stands for what shorthand makes of it."""
    if (*prefix, *path) in document.marks:
        return document.place((*prefix, *path), key=isinstance(path[-1], str) if path else False)
    for length in range(len(path) - 1, 0, -1):
        above = (*prefix, *path[:length])
        if above in document.written:
            return document.place(above, key=True)
        if above in document.marks:
            return None
    return None
