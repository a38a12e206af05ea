"""What differs between two releases: the image, the configuration, the objects. Pure; no secret's value is in either.

Objects are compared field by field; items of a list are told apart by their name, as a reader does. What carries its
release's number or its content's hash in its name is the same thing in both, under another name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import msgspec

from nuages.app.objects import Object
from nuages.release import redact
from nuages.release.record import Stored
from nuages.release.redact import HIDDEN

HASHED = re.compile(r"-([0-9a-f]{10}|[0-9]+)$")
"""How names end that change with the content (`blog-env-1f3a9c0b2d`) or the release (`blog-migrate-…-7`)."""

VARIABLE = re.compile(r"^ConfigMap/[^/]*/data\.(?P<data>\w+)$|env\[(?P<env>\w+)\]\.value$")
"""A variable's value: of the configuration, or of one container."""

REFERENCES = frozenset({"configMapRef", "secretRef", "configMap", "configMapKeyRef", "secretKeyRef"})

NUMBERS = frozenset({"RELEASE", "NUAGES_RELEASE", "NUAGES_NUMBER"})
"""The variables that tell a pod its release: they differ always, and mean nothing."""


class Kind(StrEnum):
    """How something differs."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that differs."""

    what: Kind
    object: str
    """`image`, or kind and name: `Deployment/blog-web-main`."""
    field: str = ""
    """The field's path, as `spec.template.spec.containers[web].image`; empty where the object itself came or went."""
    before: str | None = None
    """The value then, as JSON; null where there was none."""
    after: str | None = None


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """What `nuages releases diff N M --json` prints."""

    schema: int = 1
    before: int
    after: int
    changes: list[Change]


def difference(before: Stored, after: Stored) -> Difference:
    """All that differs between two releases, the image first, then objects in the order in which they are applied."""
    image = _fields(msgspec.to_builtins(before.record.build), msgspec.to_builtins(after.record.build))
    found = [_change("image", *one) for one in image]
    if before.record.secrets != after.record.secrets:
        found.append(_change("secrets", "values", before.record.secrets, after.record.secrets))
    old = {_key(item): item for item in before.manifest.objects}
    new = {_key(item): item for item in after.manifest.objects}
    for key in dict.fromkeys([*new, *old]):
        title = "/".join(key)
        if key not in old:
            found.append(Change(what=Kind.ADDED, object=title))
        elif key not in new:
            found.append(Change(what=Kind.REMOVED, object=title))
        else:
            found += [_change(title, *one) for one in _fields(_plain(old[key]), _plain(new[key]))]
    return Difference(before=before.record.number, after=after.record.number, changes=found)


def _key(item: Object) -> tuple[str, str]:
    return item["kind"], HASHED.sub("", item["metadata"]["name"])


def hidden(item: Object) -> Object:
    """An object without what a Secret holds, and without what other text gives away."""
    if item["kind"] == "Secret":
        return {**item, **{key: HIDDEN for key in ("data", "stringData") if key in item}}
    if item["kind"] == "ConfigMap":
        return {**item, "data": {name: redact.variable(name, value) for name, value in item.get("data", {}).items()}}
    return item


def _plain(item: Object) -> Object:
    """An object without its name, which is its key, and where it refers to others, under their keys."""
    rest: Object = _referring({key: value for key, value in item.items() if key != "metadata"})
    return rest | {"metadata": {key: value for key, value in item["metadata"].items() if key != "name"}}


def _referring(value: Any) -> Any:
    """A value in which references to configuration and secrets have no hash: that these differ is said of them."""
    if isinstance(value, list):
        return [_referring(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        key: {**one, "name": HASHED.sub("", one["name"])}
        if key in REFERENCES and isinstance(one, dict) and "name" in one
        else _referring(one)
        for key, one in value.items()
    }


def _fields(before: Any, after: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """The fields that differ: path, before, after."""
    if isinstance(before, list) and isinstance(after, list):
        before, after = _named(before), _named(after)
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys([*before, *after]):
            inner = f"{path}{key}" if key.startswith("[") or not path else f"{path}.{key}"
            yield from _fields(before.get(key), after.get(key), inner)
    elif before != after and not any(path.endswith(f"env[{name}].value") for name in NUMBERS):
        yield path, before, after


def _named(items: list[Any]) -> Any:
    """A list as a map by its items' names; as it is where they have none, or one twice."""
    names = [item.get("name") if isinstance(item, dict) else None for item in items]
    if not all(isinstance(name, str) for name in names) or len(set(names)) != len(names):
        return items
    return {f"[{name}]": item for name, item in zip(names, items, strict=True)}


def _change(title: str, field: str, before: Any, after: Any) -> Change:
    what = Kind.ADDED if before is None else Kind.REMOVED if after is None else Kind.CHANGED
    said = {"before": _text(title, field, before), "after": _text(title, field, after)}
    return Change(what=what, object=title, field=field, **said)


def _text(title: str, field: str, value: Any) -> str | None:
    """A value as it may be shown: what is secret by its name, or looks so, is not."""
    if value is None:
        return None
    said = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    if title.startswith("Secret/"):
        return HIDDEN
    name = VARIABLE.search(f"{title}/{field}")
    return redact.variable(name["data"] or name["env"], said) if name else redact.text(said)
