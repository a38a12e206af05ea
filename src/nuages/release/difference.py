"""What differs between two releases: the image, the configuration, the objects. Pure; no secret's value is in either.

Objects are compared field by field, as a plan does (plan/fields.py). What carries its release's number or its content's
hash in its name is the same thing in both, under another name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import msgspec

from nuages.app.objects import Object
from nuages.release import redact
from nuages.release.plan.fields import Path, fields, text, written
from nuages.release.record import Stored
from nuages.release.redact import HIDDEN

HASHED = re.compile(r"-([0-9a-f]{10}|[0-9]+)$")
"""How names end that change with the content (`blog-env-1f3a9c0b2d`) or the release (`blog-migrate-…-7`)."""

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
        found.append(_change("secrets", ("values",), before.record.secrets, after.record.secrets))
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
    shown: Object = _hidden(item)
    return shown


def _hidden(value: Any) -> Any:
    if isinstance(value, list):
        return [_hidden(one) for one in redact.flags(value)]
    if isinstance(value, dict):
        name = value.get("name")
        return {
            key: redact.variable(str(name), one) if key == "value" and isinstance(one, str) else _hidden(one)
            for key, one in value.items()
        }
    return redact.text(value) if isinstance(value, str) else value


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


def _fields(before: Object, after: Object) -> Iterator[tuple[Path, Any, Any]]:
    """The fields that differ: path, before, after."""
    old, new = fields(before), fields(after)
    for path in dict.fromkeys([*old, *new]):
        number = path[-1] == "value" and path[-2:-1] and path[-2].strip("[]") in NUMBERS
        if old.get(path) != new.get(path) and not number:
            yield path, old.get(path), new.get(path)


def _change(title: str, path: Path, before: Any, after: Any) -> Change:
    what = Kind.ADDED if before is None else Kind.REMOVED if after is None else Kind.CHANGED
    kind = title.partition("/")[0]
    said = {"before": text(kind, path, before, str), "after": text(kind, path, after, str)}
    return Change(what=what, object=title, field=written(path), **said)
