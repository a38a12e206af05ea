"""The checked-in schema is the model's, complete, and takes what the loader takes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema_rs import validator_for

from nuages.spec import schema
from nuages.spec.document import read

pytestmark = pytest.mark.unit

EXAMPLES = Path(__file__).parents[3] / "examples"
SHORTHAND = b"""\
name: blog
image: registry.example.com/acme/blog
django: {python: 3.13, overlay: false}
build: {dependencies: production.txt, commands: [[make, 1]]}
web: {main: {replicas: 3, requestTimeout: 30s}, api: , live: {interface: asgi, routes: /ws/}, own: {command: [a, 8000]}}
workers: {default: {celery: blog, longestTask: 5m}, mail: {celery: {app: blog, queues: [1]}}}
beat: {celery: blog}
services: {postgres: {run: }, redis: {run: }}
volumes: {data: data, cache: {path: var/cache, temporary: true}}
databases: {default: postgres}
expose: {kind: loadBalancer, hosts: blog.localhost}
env: {COLOR: orange, LIMIT: 5, DEBUG: false, FLAG: {configMap: flags, key: x}}
secrets: {SECRET_KEY: {generate: true}, DSN: }
environments:
  local: {web: {main: {replicas: 1}}, expose: null}
  production: {cluster: prod, namespace: blog, env: {COLOR: null}}
"""


@pytest.mark.parametrize("file, made", [(schema.CANONICAL, schema.canonical), (schema.FILE, schema.editor)])
def test_a_schema_that_is_checked_in_is_fresh(file: Path, made: Callable[[], schema.Schema]) -> None:
    text = schema.text(made())
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(text)
    assert file.read_text() == text, "stale: run the tests once with UPDATE_GOLDEN=1 and look at the diff"


def test_the_editor_accepts_shorthand_and_patches() -> None:
    document, findings = read(SHORTHAND, "nuages.yaml")
    assert findings == []
    assert [error.message for error in validator_for(schema.editor()).iter_errors(document.value)] == []


@pytest.mark.parametrize("example", sorted(path.name for path in EXAMPLES.glob("*.yaml")))
def test_the_editor_accepts_the_examples(example: str) -> None:
    document, _ = read((EXAMPLES / example).read_bytes(), example)
    assert [error.message for error in validator_for(schema.editor()).iter_errors(document.value)] == []


@pytest.mark.parametrize(
    "mistake", [b"webb: {}\n", b"web: {main: {replcas: 3}}\n", b"environments: {a: {web: {main: {replcas: 3}}}}\n"]
)
def test_the_editor_sees_a_misspelled_field(mistake: bytes) -> None:
    document, _ = read(b"name: blog\nimage: a/b\n" + mistake, "nuages.yaml")
    assert not validator_for(schema.editor()).is_valid(document.value)


def test_every_map_is_closed() -> None:
    for name, part in schema.environment()["$defs"].items():
        assert part["additionalProperties"] is False, name


def test_every_field_tells_an_editor_what_it_is_its_default_and_an_example() -> None:
    whole = schema.editor()
    for name, part in {"": whole, **whole["$defs"]}.items():
        for field, told in part.get("properties", {}).items():
            assert told.get("description"), f"{name}.{field}"
            assert told.get("examples"), f"{name}.{field}"
            # In a patch no default applies: what is left out is as in the base.
            assert "default" in told or field in part.get("required", []) or name.endswith("Patch"), f"{name}.{field}"


def test_every_example_is_one_that_its_field_takes() -> None:
    whole = schema.editor()
    for name, part in {"": whole, **whole["$defs"]}.items():
        if name.endswith("Patch"):  # it has the same ones
            continue
        validator = validator_for({"$defs": whole["$defs"], "properties": part.get("properties", {})})
        for field, told in part.get("properties", {}).items():
            for example in told["examples"]:
                assert validator.is_valid({field: example}), f"{name}.{field}: {example}"


def test_every_required_field_has_an_example_that_stands_in_where_it_is_missing() -> None:
    for part in schema.environment()["$defs"].values():
        for field in part.get("required", []):
            assert part["properties"][field]["examples"]


def test_every_form_has_words_that_say_how_to_write_it() -> None:
    from nuages.spec.validate import FORMS

    titles = {node["title"] for node in _nodes(schema.environment()) if "pattern" in node}
    assert titles <= FORMS.keys()


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for entry in value.values():
            yield from _nodes(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _nodes(entry)
