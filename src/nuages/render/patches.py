"""Patches of single objects: a merge patch (RFC 7396) in which lists with a merge key are merged by it.

As `kubectl patch --type strategic` and kustomize do:
https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md
An entry with `$patch: delete` goes, one with `$patch: replace` stands for the whole; a null takes a field away.
"""

from __future__ import annotations

import copy

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.render.labels import TRACK

# patchMergeKey of the API's types, of the kinds that nuages renders; all other lists are replaced as a whole.
MERGE_KEYS = {
    "containers": ("name",),
    "initContainers": ("name",),
    "volumes": ("name",),
    "env": ("name",),
    "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
    "imagePullSecrets": ("name",),
    "hostAliases": ("ip",),
    "topologySpreadConstraints": ("topologyKey",),
    "ports": ("containerPort", "port"),
    "ownerReferences": ("uid",),
}
DIRECTIVE = "$patch"


def patched(app: App, objects: list[Object]) -> list[Object]:
    """The same objects with the spec's patches, in their order."""
    if not app.patches:
        return objects
    made = objects
    for patch in app.patches:
        named = (patch.target.kind, patch.target.name)
        made = [merged(item, patch.patch) if (item["kind"], _plain(item)) == named else item for item in made]
    return made


def _plain(item: Object) -> str:
    """An object's name; of one that goes beside the release that serves, the name of what it is like."""
    about = item["metadata"]
    track = about.get("labels", {}).get(TRACK)
    name: str = about["name"]
    return name.removesuffix(f"-{track}") if track else name


def merged(item: Object, patch: Object) -> Object:
    """An object with a patch; both stay as they are."""
    found = _map(item, patch)
    return found if isinstance(found, dict) else item


def _map(value: object, patch: object, field: str = "") -> object:
    match value, patch:
        case dict(), dict() if patch.get(DIRECTIVE) != "replace":
            made = dict(value)
            for key, one in patch.items():
                if one is None or (isinstance(one, dict) and one.get(DIRECTIVE) == "delete"):
                    made.pop(key, None)
                else:
                    made[key] = _map(made.get(key), one, key)
            return made
        case _, dict():
            return _map({}, {key: one for key, one in patch.items() if key != DIRECTIVE}, field)
        case list(), list() if key := _merge_key(field, [*value, *patch]):
            return _list(value, patch, key)
    return copy.deepcopy(patch)


def _merge_key(field: str, entries: list[object]) -> str | None:
    """By what the entries of a list are known; None where it is replaced as a whole."""
    for key in MERGE_KEYS.get(field, ()):
        if entries and all(isinstance(one, dict) and key in one for one in entries):
            return key
    return None


def _list(entries: list[Object], patch: list[Object], key: str) -> list[object]:
    """Entries that are there are changed in their place; new ones come last."""
    changes = {one[key]: one for one in patch}
    made: list[object] = []
    for entry in entries:
        change = changes.pop(entry[key], None)
        if change is None:
            made.append(entry)
        elif change.get(DIRECTIVE) != "delete":
            made.append(_map(entry, change))
    return [*made, *(_map({}, one) for one in changes.values() if one.get(DIRECTIVE) != "delete")]
