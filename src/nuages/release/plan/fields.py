"""An object taken apart into fields, so that two states of it can be compared as a person would. Pure.

Items of a list are known by what the API server knows them by (`containers[web].env[COLOR].value`); other lists are one
value. Only what nuages declares, or declared before, is compared: the rest belongs to others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from nuages.app.objects import Object
from nuages.release import redact
from nuages.release.plan.shape import Field

# The keys of lists that are maps in truth, each before those that are also found where it is the one; as in
# https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy (x-kubernetes-list-map-keys).
_KEYS = ("mountPath", "devicePath", "containerPort", "port", "name", "ip", "topologyKey", "uid")
# What the server keeps for itself.
_SERVERS = {
    ("status",),
    *(
        ("metadata", name)
        for name in ("managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink")
    ),
}

Path = tuple[str, ...]
Fields = dict[Path, Any]


def fields(item: Object) -> Fields:
    """Each field of an object with its value; empty maps and lists are values too."""
    return dict(_fields(item, ()))


def owned(item: Object, manager: str) -> set[Path]:
    """The fields that one manager has applied, as managedFields tell."""
    found: set[Path] = set()
    for entry in item["metadata"].get("managedFields", ()):
        if entry.get("manager") == manager and entry.get("subresource", "") == "":
            found |= set(managed(entry.get("fieldsV1", {})))
    return found


def managed(tree: Object, before: Path = ()) -> Iterator[Path]:
    """The fields of one entry of managedFields, in the words of `fields`.

    https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/#System (FieldsV1)
    """
    inner = {key: value for key, value in tree.items() if key != "."}
    if not inner and before:
        yield before
    for key, value in inner.items():
        yield from managed(value, (*before, _segment(key)))


def changed(live: Object, after: Object, wanted: Object, manager: str) -> list[tuple[Path, Any, Any]]:
    """The declared fields that differ: the path, what is, and what would be (None: not there)."""
    before, then = fields(live), fields(after)
    declared = {*fields(wanted), *owned(live, manager)}
    differ = [path for path in dict.fromkeys([*then, *before]) if before.get(path) != then.get(path)]
    return [(path, before.get(path), then.get(path)) for path in differ if _within(path, declared)]


def shown(kind: str, path: Path, before: Any, after: Any, hide: Callable[[str], str]) -> Field:
    """A field as a person may see it."""
    return Field(path=written(path), before=text(kind, path, before, hide), after=text(kind, path, after, hide))


def text(kind: str, path: Path, value: Any, hide: Callable[[str], str]) -> str | None:
    """A value without what is secret in it; None where there is none."""
    if value is None:
        return None
    if kind == "Secret" and path[0] in ("data", "stringData"):
        return redact.HIDDEN
    said = value if isinstance(value, str) else msgspec.json.encode(redact.flags(value)).decode()
    said = hide(said)
    if path[-1] == "value" and len(path) > 1 and path[-2].startswith("["):
        return redact.variable(path[-2].strip("[]"), said)
    return redact.variable(path[-1], said) if path[0] in ("data", "stringData") else redact.text(said)


def written(path: Path) -> str:
    """`spec.template.spec.containers[web].image`."""
    said = ""
    for part in path:
        said += part if part.startswith("[") or not said else f".{part}"
    return said


def _fields(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if path in _SERVERS:
        return
    if isinstance(value, list) and (named := _named(value)) is not None:
        value = named
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            # What an item is known by is in its path already, unless it is all there is of it.
            if len(value) == 1 or not (key in _KEYS and path and path[-1] == f"[{inner}]"):
                yield from _fields(inner, (*path, key))
    elif path:
        yield path, value


def _named(items: list[Any]) -> dict[str, Any] | None:
    """A list as a map by its items' key; None where it is none."""
    if not items or not all(isinstance(item, dict) for item in items):
        return None
    for key in _KEYS:
        names = [str(item[key]) for item in items if key in item]
        if len(names) == len(items) and len(set(names)) == len(names):
            return {f"[{name}]": item for name, item in zip(names, items, strict=True)}
    return None


def _segment(key: str) -> str:
    """A key of FieldsV1 in the words of `fields`: a field, an item by its keys, by its value or by its place."""
    kind, _, rest = key.partition(":")
    if kind == "k":
        keys = msgspec.json.decode(rest)
        name = next((keys[one] for one in _KEYS if one in keys), next(iter(keys.values())))
        return f"[{name}]"
    return rest if kind == "f" else f"[{rest}]"


def _within(path: Path, declared: set[Path]) -> bool:
    """Whether a field is one of these, below one, or above one (an empty map that was filled)."""
    if any(path[:size] in declared for size in range(1, len(path) + 1)):
        return True
    return any(other[: len(path)] == path for other in declared)
