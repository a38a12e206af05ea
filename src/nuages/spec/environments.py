"""An environment is a JSON merge patch (RFC 7396) over the base: maps are merged, all else is replaced, null
removes.
"""

from __future__ import annotations

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
