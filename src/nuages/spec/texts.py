"""Where in the model texts of a certain form stand, found in its schema: a new field is never forgotten.

In the schema and not in the structs: to take these apart takes as long as reading and judging a whole file, and the
schema, for which that was done, is at hand anyway.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

from nuages.spec.kept import Schema
from nuages.spec.schema import environment

Pattern = tuple[str, ...]
"""A path of the model in which `*` stands for any key or index."""


@functools.cache
def places(*titles: str) -> tuple[Pattern, ...]:
    """The paths of all texts whose form has one of these titles (forms.py)."""
    return tuple(_texts(environment(), (), frozenset(titles)))


def _texts(part: Schema, path: Pattern, titles: frozenset[str]) -> Iterator[Pattern]:
    if reference := part.get("$ref"):
        part = {**environment()["$defs"][reference.rpartition("/")[2]], **part}
    if part.get("title") in titles:
        yield path
        return
    for one in part.get("anyOf", ()):
        yield from _texts(one, path, titles)
    for name, field in part.get("properties", {}).items():
        yield from _texts(field, (*path, name), titles)
    for each in (part.get("additionalProperties"), part.get("items")):
        if isinstance(each, dict):
            yield from _texts(each, (*path, "*"), titles)
