"""JSON Schema from the structs: one that validates canonical documents, and one for the editor that takes shorthand
too, and says all there is to say of each field.

Both are checked in, next to this, as canonical.schema.json and nuages.schema.json; a test fails where one is stale.
Every command that reads a spec needs the first, and to make it from the structs takes as long as all else there.
"""

from __future__ import annotations

import copy
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from nuages.spec.examples import with_examples
from nuages.spec.kept import CANONICAL, ENVIRONMENTS, Schema

FILE = Path(__file__).with_name("nuages.schema.json")
DIALECT = "https://json-schema.org/draft/2020-12/schema"

_SCALAR: Schema = {"type": ["string", "number", "boolean"]}
_AS_WRITTEN = {"a duration", "an amount of memory", "an amount of CPU", "a Python version", "a major version"}
_WORDS = {"command", "commands", "queues", "manage"}


def base() -> Schema:
    """What the base of a file must be, in canonical form."""
    return _both()[0]


def environment() -> Schema:
    """What a base with one environment's patch applied must be, in canonical form."""
    return _both()[1]


@cache
def _both() -> tuple[Schema, Schema]:
    """One document with all parts, and the root of each: what a root does not need is not in its own."""
    return _parted(msgspec.json.decode(CANONICAL.read_bytes()))


def _parted(whole: Schema) -> tuple[Schema, Schema]:
    names = [root["$ref"].rpartition("/")[2] for root in whole["oneOf"]]
    first, second = (
        {**root, "$defs": {name: part for name, part in whole["$defs"].items() if name != other}}
        for root, other in zip(whole["oneOf"], reversed(names), strict=True)
    )
    return first, second


def canonical() -> Schema:
    """What canonical.schema.json must hold. Made together, since the two share all but their roots."""
    from nuages.spec.model import Declaration, EnvironmentSpec  # noqa: PLC0415 - not needed to read what is checked in

    roots = (Declaration, EnvironmentSpec)
    made, parts = msgspec.json.schema_components(roots, ref_template="#/$defs/{name}")
    return {"$schema": DIALECT, "oneOf": list(made), "$defs": parts}


def editor() -> Schema:
    """What a file may look like while it is written: shorthand, and patches in which everything is optional and
    null removes.
    """
    whole, patched = (with_examples(made["$defs"]) for made in _parted(canonical()))
    definitions = {name: _telling(_with_shorthand(name, part)) for name, part in whole.items()}
    root = definitions.pop("Declaration")
    patches = {f"{name}Patch": _patch(_with_shorthand(name, part)) for name, part in patched.items()}
    root["properties"]["environments"] = ENVIRONMENTS
    return {
        "$schema": DIALECT,
        "title": "nuages.yaml",
        "description": "What a Django project needs to run on Kubernetes.",
        **{key: value for key, value in root.items() if key not in ("title", "description")},
        "$defs": dict(sorted({**definitions, **patches}.items())),
    }


def _telling(part: Schema) -> Schema:
    """A definition whose descriptions say the default too: editors show them, and no default, beside the pointer.

    Its own title goes: an editor would set the name of a struct of ours above the description.
    """
    told = {key: value for key, value in part.items() if key != "title"}
    told["properties"] = {field: _with_default(schema) for field, schema in part["properties"].items()}
    return told


def _with_default(schema: Schema) -> Schema:
    value = schema.get("default")
    if value in (None, "") or isinstance(value, dict | list):
        return schema
    word = msgspec.json.encode(value).decode() if not isinstance(value, str) else value
    return {**schema, "description": f"{schema['description']} Default: {word}."}


def _with_shorthand(name: str, part: Schema) -> Schema:
    """A definition whose fields take what shorthand.py rewrites."""
    part = copy.deepcopy(part)
    properties = part["properties"]
    for field, schema in properties.items():
        properties[field] = _number_as_text(schema)
        if field in _WORDS:
            properties[field] = _numbers_as_words(schema)
    match name:
        case "Declaration" | "EnvironmentSpec":
            _allow(properties["volumes"], "additionalProperties", {"type": "string"})
            _allow(properties["env"], "additionalProperties", _SCALAR)
            _allow(properties["secrets"], "additionalProperties", {"type": "null"})
            _allow(properties["web"], "additionalProperties", {"type": "null"})
        case "Databases":
            properties["default"]["anyOf"].append({"type": "string"})
        case "Expose":
            for field in ("hosts", "redirects"):
                # In a template's patch, {environment} stands for a name.
                host = _or(properties[field]["items"], {"type": "string", "pattern": r"\{environment\}"})
                properties[field] = {**properties[field], "items": host}
            properties["hosts"] = _or(properties["hosts"], properties["hosts"]["items"])
        case "Web":
            routes, _ = properties["routes"]["anyOf"]
            properties["routes"]["anyOf"].append(routes["items"])
        case "Postgres" | "Redis":
            properties["run"] = _or(properties["run"], {"type": "null"})
        case "Django":
            properties["overlay"] = _or(properties["overlay"], {"type": "boolean"})
        case "BuildOptions":
            properties["dependencies"] = _or(properties["dependencies"], {"type": "string"})
        case "Hook" | "Schedule" | "Job" | "Anonymise":
            properties["manage"]["anyOf"].append({"type": "string"})
        case "Worker":
            properties["celery"]["anyOf"].append({"type": "string"})
        case "Beat":
            properties["celery"] = _or(properties["celery"], {"type": "string"})
    return part


def _or(schema: Schema, also: Schema) -> Schema:
    """What a field may be, or something else; what describes it stays beside."""
    about: Schema = {key: schema[key] for key in ("description", "examples", "default") if key in schema}
    what = {key: value for key, value in schema.items() if key not in about}
    return {**about, "anyOf": [*what.get("anyOf", [what]), also]}


def _number_as_text(schema: Schema) -> Schema:
    return {**schema, "type": ["string", "number"]} if schema.get("title") in _AS_WRITTEN else schema


def _numbers_as_words(schema: Any) -> Any:
    """The same schema, at whose innermost lists numbers and switches stand for their spelling."""
    match schema:
        case {"type": "array", "items": {"type": "string", **rest}}:
            return {**schema, "items": {**rest, **_SCALAR}}
        case dict():
            return {key: _numbers_as_words(value) for key, value in schema.items()}
        case list():
            return [_numbers_as_words(entry) for entry in schema]
        case _:
            return schema


def _allow(schema: Schema, key: str, also: Schema) -> None:
    schema[key] = {"anyOf": [schema[key], also]}


def _patch(part: Schema) -> Schema:
    """A definition as a patch of it: nothing is required, no default applies, and null removes."""
    part = {key: value for key, value in part.items() if key not in ("required", "title")}
    part["properties"] = {field: _patched_field(schema) for field, schema in part["properties"].items()}
    return part


def _patched_field(schema: Schema) -> Schema:
    inner = _to_patch(schema)
    kept = {key: inner.pop(key) for key in ("description", "examples") if key in inner}
    inner.pop("default", None)
    inner.pop("minProperties", None)
    return {
        **kept,
        "anyOf": [*inner["anyOf"], {"type": "null"}] if set(inner) == {"anyOf"} else [inner, {"type": "null"}],
    }


def _to_patch(schema: Any) -> Any:
    """The same schema for a patch: references lead to definitions' patches, and an entry of a map may be null."""
    match schema:
        case list():
            return [_to_patch(item) for item in schema]
        case dict():
            return {key: _keyword_to_patch(key, value) for key, value in schema.items()}
        case _:
            return schema


def _keyword_to_patch(key: str, value: Any) -> Any:
    match key:
        case "$ref":
            return f"{value}Patch"
        case "description" | "examples" | "default":
            return value
        case "additionalProperties" if isinstance(value, dict):
            return {"anyOf": [_to_patch(value), {"type": "null"}]}
        case _:
            return _to_patch(value)


def text(document: Schema) -> str:
    """A schema as it is checked in."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"
