"""Where in the model texts of a certain form stand, found in the model itself: a new field is never forgotten."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from msgspec import inspect

from nuages.spec.model import EnvironmentSpec

Pattern = tuple[str, ...]
"""A path of the model in which `*` stands for any key or index."""


@functools.cache
def places(*titles: str) -> tuple[Pattern, ...]:
    """The paths of all texts whose form has one of these titles (forms.py)."""
    return tuple(_texts(_model(), (), frozenset(titles)))


@functools.cache
def _model() -> inspect.Type:
    """The model, taken apart once: that takes as long as reading and judging a whole file."""
    return inspect.type_info(EnvironmentSpec)


def _texts(of: inspect.Type, path: Pattern, titles: frozenset[str]) -> Iterator[Pattern]:
    match of:
        case inspect.Metadata(type=inner, extra_json_schema=extra):
            if extra and extra.get("title") in titles:
                yield path
            else:
                yield from _texts(inner, path, titles)
        case inspect.StructType(fields=fields):
            for field in fields:
                yield from _texts(field.type, (*path, field.encode_name), titles)
        case inspect.UnionType(types=types):
            for one in types:
                yield from _texts(one, path, titles)
        case inspect.DictType(value_type=inner) | inspect.ListType(item_type=inner):
            yield from _texts(inner, (*path, "*"), titles)
