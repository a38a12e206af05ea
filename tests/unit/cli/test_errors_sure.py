"""Production is confirmed by its name: in a terminal it is asked for, in a pipe only --yes goes on."""

from __future__ import annotations

from types import SimpleNamespace

import click
import pytest
from click.testing import CliRunner

from nuages.app.components import resolve
from nuages.cli.sure import agreed, gone, sure
from nuages.errors import Refused, UsageError
from nuages.spec.load import parse

SPEC = """\
name: blog
image: registry.example.com/acme/blog
environments:
  local:
  production:
  prod: {confirm: false}
  prod-eu:
  productive:
  mirror: {confirm: true}
"""
CLUSTER = SimpleNamespace(context="prod-eu", server="https://k8s.example.com:6443")


def app(environment):
    return resolve(parse(SPEC.encode(), "nuages.yaml"), environment)


@pytest.mark.parametrize(
    ("environment", "confirmed"),
    [
        ("local", False),
        ("production", True),
        ("prod", False),
        ("prod-eu", True),
        ("productive", False),
        ("mirror", True),
    ],
)
def test_what_is_called_production_is_confirmed_and_whatever_the_spec_says(environment, confirmed):
    assert app(environment).confirm is confirmed


def test_in_a_pipe_it_is_refused_with_the_way_unless_it_is_said():
    with pytest.raises(Refused) as told:
        sure(app("production"), CLUSTER, "Deploy", yes=False)
    assert "--yes" in told.value.hint
    sure(app("production"), CLUSTER, "Deploy", yes=True)
    sure(app("local"), CLUSTER, "Deploy", yes=False)


@pytest.mark.parametrize(("typed", "goes"), [("production", True), ("yes", False), ("", False)])
def test_at_a_terminal_the_name_is_asked_for_before_the_cluster(typed, goes, monkeypatch):
    asked = []
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("sys.stderr", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr(click, "prompt", lambda text, **_: asked.append(text) or typed)
    if goes:
        sure(app("production"), CLUSTER, "Deploy", yes=False)
    else:
        with pytest.raises(UsageError, match="nothing was touched"):
            sure(app("production"), CLUSTER, "Deploy", yes=False)
    assert asked == [
        "Deploy blog-production in prod-eu (https://k8s.example.com:6443)? Type production",
    ]


def test_what_was_shown_is_agreed_to_by_the_name_where_that_is_asked_for(monkeypatch):
    asked = []
    monkeypatch.setattr(click, "confirm", lambda text, err, **_: asked.append((text, err)))
    with pytest.raises(Refused):
        agreed(app("production"), CLUSTER, "Change data stores of", yes=False)
    agreed(app("production"), CLUSTER, "Change data stores of", yes=True)
    assert asked == []
    agreed(app("prod"), CLUSTER, "Change data stores of", yes=False)
    agreed(app("local"), CLUSTER, "Change data stores of", yes=True)
    assert asked == [("Change data stores of blog-prod?", True)]  # what --json prints is not to begin with a question


@pytest.mark.parametrize(("typed", "goes"), [("blog-local", True), ("local", False), ("", False)])
def test_what_is_removed_is_named_at_a_terminal(typed, goes, monkeypatch):
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("sys.stderr", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr(click, "prompt", lambda text, **_: typed)
    if goes:
        gone("Remove this from work?", "blog-local")
    else:
        with pytest.raises(UsageError, match="nothing was removed"):
            gone("Remove this from work?", "blog-local")


def test_what_comes_through_a_pipe_removes_nothing(monkeypatch):
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: False, readline=lambda: "blog-local\n"))
    with pytest.raises(Refused) as told:
        gone("Remove this from work?", "blog-local")
    assert "--yes" in told.value.hint


def test_a_restore_in_a_pipe_is_refused_as_all_that_puts_other_data_there(tmp_path, monkeypatch):
    from nuages.cli import restore

    (tmp_path / "nuages.yaml").write_text(
        "name: blog\nimage: registry.example.com/acme/blog\ndatabases: {default: postgres}\n"
        "services: {postgres: {run: {backup: {cron: '0 2 * * *', to: {volume: 2Gi}}}}}\nenvironments: {local: {}}\n"
    )
    monkeypatch.setattr(restore, "cluster_of", lambda *_: CLUSTER)
    told = CliRunner().invoke(restore.command, ["-f", str(tmp_path / "nuages.yaml")])
    assert isinstance(told.exception, Refused), told.output
    assert "nothing was restored" in str(told.exception)
