"""An example for every field of the schema: the one that its description brings, else the one that follows from it."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def with_examples(definitions: dict[str, Schema]) -> dict[str, Schema]:
    """The definitions, each field of theirs with at least one example; those that are written down come first."""
    return {name: {**part, "properties": _properties(part, definitions)} for name, part in definitions.items()}


def _properties(part: Schema, definitions: dict[str, Schema]) -> dict[str, Schema]:
    return {
        field: schema if "examples" in schema else {**schema, "examples": found}
        for field, schema in part["properties"].items()
        if (found := example(schema, definitions)) or True
    }


def example(schema: Schema, definitions: dict[str, Schema]) -> list[Any]:
    """Values that a field may have; none where nothing says any.

    A word of a list may be each of them, a switch is shown switched, a part is shown as small as it can be.
    """
    match schema:
        case {"examples": found}:
            return list(found)
        case {"enum": words}:
            return list(words)
        case {"const": word}:
            return [word]
        case {"type": "boolean"}:
            return [not schema.get("default", False)]
        case {"$ref": reference}:
            return _smallest(definitions[reference.rpartition("/")[2]], definitions)
        case {"anyOf": options}:
            return next((found for option in options if (found := example(option, definitions))), [])
        case {"default": value} if value not in (None, {}, []):
            return [value]
        case _:
            return []


def _smallest(part: Schema, definitions: dict[str, Schema]) -> list[Any]:
    """What is needed in a part; where nothing is, its first field."""
    fields = part["properties"]
    needed = part.get("required") or [next(iter(fields))]
    found = {field: example(fields[field], definitions) for field in needed}
    return [{field: examples[0] for field, examples in found.items()}] if all(found.values()) else []
