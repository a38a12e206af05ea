"""What somebody sees who writes nuages.yaml in an editor: by a real language server, the one of VS Code and others."""

from __future__ import annotations

from pathlib import Path

import pytest
from language_server import LanguageServer

from nuages.project.draft import draft
from nuages.project.inspect import inspect

pytestmark = pytest.mark.editor

BLOG = Path(__file__).parents[2] / "examples/blog"
BEGIN = """\
# yaml-language-server: $schema=./nuages.schema.json
name: blog
image: registry.example.com/acme/blog
"""


def test_what_init_writes_is_taken_without_a_remark(server: LanguageServer) -> None:
    text = draft(inspect(BLOG), "blog", "registry.example.com/acme/blog")
    assert text.startswith("# yaml-language-server: $schema=./nuages.schema.json\n")
    assert server.diagnostics(text) == []


def test_mistakes_are_underlined_where_they_are(server: LanguageServer) -> None:
    text = BEGIN + "web:\n  main:\n    replcas: 3\n    requestTimeout: soon\nservices:\n  postgrs: {run: }\n"
    assert {line for line, _ in server.diagnostics(text)} == {6, 7, 9}


def test_a_patch_of_an_environment_is_looked_at_as_the_base_is(server: LanguageServer) -> None:
    patch = "environments:\n  local:\n    expose: null\n    web: {main: {replicas: 1}}\n"
    assert server.diagnostics(BEGIN + patch) == []
    assert [line for line, _ in server.diagnostics(BEGIN + patch.replace("replicas", "replica"))] == [7]


def test_fields_are_completed_with_what_they_are(server: LanguageServer) -> None:
    found = server.completion(BEGIN + "|")
    assert {"web", "workers", "services", "environments"} <= found.keys()
    assert "name" not in found, "it is there already"
    assert found["web"]["documentation"].startswith("Processes that answer HTTP.")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("web:\n  main:\n    |", {"replicas", "requestTimeout", "autoscale"}),
        ("web:\n  main:\n    interface: |", {"wsgi", "asgi"}),
        ("expose:\n  kind: |", {"ingress", "gateway", "loadBalancer", "nodePort"}),
        ("environments:\n  production:\n    |", {"cluster", "namespace", "web", "ttl"}),
    ],
)
def test_what_may_stand_there_is_offered(server: LanguageServer, text: str, wanted: set[str]) -> None:
    assert wanted <= server.completion(BEGIN + text).keys()


def test_the_pointer_shows_what_a_field_is_its_default_and_an_example(server: LanguageServer) -> None:
    shown = server.hover(BEGIN + "web:\n  main:\n    request|Timeout: 10s\n")
    assert "The longest a request may take" in shown
    assert "Default: 30s." in shown
    assert "2m" in shown


def test_the_pointer_shows_a_field_in_a_patch_without_the_default_that_does_not_apply(server: LanguageServer) -> None:
    shown = server.hover(BEGIN + "environments:\n  local:\n    web:\n      main:\n        repli|cas: 1\n")
    assert "How many pods serve." in shown
    assert "Default" not in shown
