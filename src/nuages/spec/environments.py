"""An environment is a JSON merge patch (RFC 7396) over the base: maps are merged, all else is replaced, null
removes. A template is one that environments are made from, as many as are wanted.
"""

from __future__ import annotations

from collections.abc import Collection

from nuages.spec.document import Path, Value


def merged(target: Value, patch: Value) -> Value:
    """The target with the patch applied: the algorithm of RFC 7396, section 2, as values instead of changes."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def removals(patch: Value, path: Path = ()) -> list[Path]:
    """The paths at which a patch says null."""
    if not isinstance(patch, dict):
        return []
    return [
        found
        for key, value in patch.items()
        for found in ([(*path, key)] if value is None else removals(value, (*path, key)))
    ]


def holds(document: Value, path: Path) -> bool:
    """Whether a document has something at a path."""
    for part in path:
        if not isinstance(document, dict) or part not in document:
            return False
        document = document[str(part)]
    return True


PLACEHOLDER = "{environment}"
"""What stands in a template's patch for the name of each environment that is made from it."""


def is_template(patch: Value) -> bool:
    """Whether a patch is one that environments are made from."""
    return isinstance(patch, dict) and patch.get("template") is True


def named(patch: Value, name: str) -> Value:
    """A template's patch for the environment of that name."""
    match patch:
        case str():
            return patch.replace(PLACEHOLDER, name)
        case dict():
            return {key: named(value, name) for key, value in patch.items()}
        case list():
            return [named(value, name) for value in patch]
        case _:
            return patch


def template_of(name: str, templates: Collection[str]) -> str | None:
    """Which template the environment of a name is made from: the only one; of several, the one it begins with.

    Nothing has to be written down for that: who knows the spec and the name, knows the environment.
    """
    if len(templates) == 1:
        return next(iter(templates))
    return max((key for key in templates if name.startswith(f"{key}-")), key=len, default=None)
