"""A command that is hinted at is for the environment that was asked about: typed as it stands, it meets no other."""

from __future__ import annotations

import sys

import pytest

from nuages.cli.hinted import hinted

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("hint", "said"),
    [
        ("nuages deploy", "nuages deploy -e staging"),
        ("nuages deploy goes on with it", "nuages deploy -e staging goes on with it"),
        ("nuages secrets rotate SECRET_KEY comes first", "nuages secrets rotate -e staging SECRET_KEY comes first"),
        ("nuages status says more; nuages env wake pr-12", "nuages status -e staging says more; nuages env wake pr-12"),
        ("nuages deploy -e production --no-build adds it", "nuages deploy -e production --no-build adds it"),
        ("nuages restore --switch blog_1 -e production", "nuages restore --switch blog_1 -e production"),
        ("nuages promote or nuages abort ends it", "nuages promote -e staging or nuages abort -e staging ends it"),
        ("nuages releases lists them", "nuages releases -e staging lists them"),
        ("nuages services plan", "nuages services plan -e staging"),
        ("nuages cluster up makes a local cluster", "nuages cluster up makes a local cluster"),
        ("an older nuages takes it for somebody alive", "an older nuages takes it for somebody alive"),
        ("write 30s, 2m or 500ms", "write 30s, 2m or 500ms"),
    ],
)
def test_a_command_in_a_hint_names_the_environment(hint: str, said: str) -> None:
    assert hinted(hint, "staging") == said
    assert hinted(hint, "local") == hint


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["status", "-e", "staging"], "nuages deploy -e staging"),
        (["secrets", "set", "SENTRY_DSN", "--environment=staging"], "nuages deploy -e staging"),
        (["releases", "-e", "staging"], "nuages deploy -e staging"),
        (["db", "backup", "--environment=staging"], "nuages deploy -e staging"),
        (["status"], "nuages deploy"),
        (["manage", "migrate", "-e", "staging"], "nuages deploy"),  # an option of somebody else's
        (["exec", "web", "--", "env", "-e", "staging"], "nuages deploy"),
        (["no-such-command", "-e", "staging"], "nuages deploy"),
        ([], "nuages deploy"),
    ],
)
def test_which_one_is_read_from_the_line_that_was_typed(
    line: list[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["nuages", *line])
    assert hinted("nuages deploy") == said
