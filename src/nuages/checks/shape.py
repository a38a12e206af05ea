"""Whether what a patch leaves is still an object of its kind, as far as anything here reads it.

The API server knows every field; but it is asked only once a release is planned, and says nothing of the patch.
"""

from __future__ import annotations

from collections.abc import Iterator

from nuages.app.objects import Object
from nuages.render.patches import MERGE_KEYS

_MAPS = {"metadata", "labels", "annotations", "spec", "data"}
_MAPS_OF_PODS = _MAPS | {
    "template", "jobTemplate", "selector", "matchLabels", "strategy", "rollingUpdate", "securityContext",
    "capabilities", "seccompProfile", "resources", "limits", "requests",
}  # fmt: skip
_LISTS = {"ports"}
_TEXTS = {"apiVersion", "kind", "name"}
_FREE = {"labels", "annotations", "matchLabels", "data", "stringData", "binaryData"}
"""Below these the keys are anybody's."""
_PODS = {
    **dict.fromkeys(("Deployment", "StatefulSet", "Job"), ("spec", "template", "spec")),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
}


def broken(kind: str, made: object) -> str:
    """What is not as it must be, as a path of the object; "" where all is well."""
    wrong = next(_wrong(made, "", *((_MAPS_OF_PODS, {*MERGE_KEYS}) if kind in _PODS else (_MAPS, _LISTS))), "")
    if wrong or not isinstance(made, dict):
        return wrong or kind
    if not isinstance((made.get("metadata") or {}).get("name"), str):
        return "metadata.name"
    return _pod(made, _PODS[kind]) if kind in _PODS else ""


def _wrong(value: object, path: str, maps: set[str], lists: set[str]) -> Iterator[str]:
    """Maps that are none, lists of something else than entries, and words that are none."""
    if isinstance(value, list):
        for index, entry in enumerate(value):
            yield from _wrong(entry, f"{path}[{index}]", maps, lists)
    elif isinstance(value, dict):
        for key, one in value.items():
            here = f"{path}.{key}".lstrip(".")
            entries = isinstance(one, list) and all(isinstance(entry, dict) for entry in one)
            if (
                (key in maps and not isinstance(one, dict))
                or (key in lists and not entries)
                or (key in _TEXTS and not isinstance(one, str))
            ):
                yield here
            elif key not in _FREE:
                yield from _wrong(one, here, maps, lists)


def _pod(made: Object, path: tuple[str, ...]) -> str:
    """A pod has containers, and each of them a name and an image."""
    at: Object = made
    for number, key in enumerate(path, 1):
        if key not in at:
            return ".".join(path[:number])
        at = at[key]
    containers = at.get("containers")
    if not containers:
        return ".".join((*path, "containers"))
    for one in [*containers, *at.get("initContainers", [])]:
        for key in ("name", "image"):
            if not isinstance(one.get(key), str):
                return ".".join((*path, "containers", key))
    return ""
