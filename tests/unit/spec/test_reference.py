"""docs/reference/spec.md lists every field, as the model describes it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nuages.spec import schema

pytestmark = pytest.mark.unit

PAGE = Path(__file__).parents[3] / "docs/reference/spec.md"
BEGIN, END = "<!-- made from the model: begin -->", "<!-- made from the model: end -->"


def test_the_page_lists_the_fields_of_the_model() -> None:
    before, rest = PAGE.read_text().split(BEGIN)
    _, after = rest.split(END)
    fresh = f"{before}{BEGIN}\n{tables()}\n{END}{after}"
    if os.environ.get("UPDATE_GOLDEN"):
        PAGE.write_text(fresh)
    assert PAGE.read_text() == fresh


def test_the_example_of_every_field_has_every_field() -> None:
    text = (Path(__file__).parents[3] / "examples/every-field.nuages.yaml").read_text()
    fields = {field for part in schema.environment()["$defs"].values() for field in part["properties"]}
    assert {field for field in fields if f"{field}:" not in text} == set()


def tables() -> str:
    definitions = schema.environment()["$defs"]
    rows: list[str] = []
    walk(definitions, definitions["EnvironmentSpec"], "", rows)
    return "\n".join(["| field | what it is | default |", "|---|---|---|", *rows])


def walk(definitions: dict[str, Any], part: dict[str, Any], above: str, rows: list[str]) -> None:
    required = part.get("required", [])
    for name, field in part["properties"].items():
        path = f"{above}{name}"
        inner, key = target(definitions, field)
        rows.append(f"| `{path}` | {field['description']}{kind(field)} | {default(field, name in required, inner)} |")
        if inner is not None:
            walk(definitions, inner, f"{path}.{key}", rows)


def target(definitions: dict[str, Any], field: dict[str, Any]) -> tuple[dict[str, Any] | None, str]:
    """The struct a field holds, itself or as the values of a map."""
    options = [field, *field.get("anyOf", [])]
    for option in options:
        if "$ref" in option:
            return definitions[option["$ref"].rpartition("/")[2]], ""
        if isinstance(option.get("additionalProperties"), dict) and "$ref" in option["additionalProperties"]:
            return definitions[option["additionalProperties"]["$ref"].rpartition("/")[2]], "*."
    return None, ""


def kind(field: dict[str, Any]) -> str:
    options = [field, *field.get("anyOf", [])]
    words = [word for option in options for word in option.get("enum", [])]
    if words:
        return f" One of {', '.join(f'`{word}`' for word in words)}."
    if examples := field.get("examples"):
        return f" Example: `{text(examples[0])}`."
    return ""


def default(field: dict[str, Any], required: bool, inner: dict[str, Any] | None) -> str:
    if required:
        return "needed"
    if inner is not None or field.get("default") is None:
        return ""
    return f"`{text(field['default'])}`"


def text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
