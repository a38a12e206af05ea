"""Who removes data, or puts other data in its place, is asked for the environment's name: at last, outside of the loop.

A prompt inside of it would not hear the first Ctrl-C, which the loop keeps for what it runs.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from nuages.cli import db, destroy, sure
from nuages.errors import Refused
from nuages.release import binding, database_copy
from nuages.release import destroy as removing
from nuages.release.keeping import aside

pytestmark = pytest.mark.unit

SPEC = """
name: blog
image: registry.example.com/acme/blog
services: {postgres: {run: {}}}
databases: {default: postgres}
environments:
  production: {}
  staging: {databases: {default: {cloneFrom: production, anonymise: {none: {}}}}}
"""


class There(SimpleNamespace):
    """A cluster that is only connected to."""

    async def __aenter__(self) -> There:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names that were asked for."""
    names: list[str] = []

    def gone(question: str, name: str, **_: object) -> None:
        with pytest.raises(RuntimeError, match="no running event loop"):
            asyncio.get_running_loop()
        names.append(name)

    cluster = There(context="prod-eu", server="https://k8s.example.com")
    for module in (db, destroy):
        monkeypatch.setattr(module, "cluster_of", lambda *_: cluster)
    monkeypatch.setattr(sure, "gone", gone)
    monkeypatch.setattr(destroy, "gone", gone)
    monkeypatch.setattr(binding, "together", lambda *_: None)
    return names


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "nuages.yaml"
    path.write_text(SPEC)
    return path


@pytest.mark.parametrize("holds", [[], [{"kind": "Secret", "metadata": {"name": "blog"}}]])
def test_destroy_asks_for_the_environment_where_there_is_something_to_remove(
    file: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch, holds: list[object]
) -> None:
    async def contents(*_: object) -> tuple[list[object], list[object]]:
        return holds, []

    async def removed(*_: object, **__: object) -> None:
        return None

    monkeypatch.setattr(removing, "contents", contents)
    monkeypatch.setattr(removing, "destroy", removed)
    ended = CliRunner().invoke(destroy.command, ["-e", "staging", "-f", str(file)], catch_exceptions=False)
    assert ended.exit_code == 0
    assert asked == (["staging"] if holds else [])


@pytest.mark.parametrize("there", [True, False])
def test_nobody_is_asked_about_a_copy_that_cannot_be(
    file: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    async def check(*_: object) -> None:
        if not there:
            raise Refused("the database of production sleeps")

    async def copy(*_: object, **__: object) -> None:
        raise Refused("far enough")

    monkeypatch.setattr(database_copy, "check", check)
    monkeypatch.setattr(database_copy, "copy", copy)
    with pytest.raises(Refused, match="far enough" if there else "sleeps"):
        CliRunner().invoke(db.copy, ["-e", "staging", "-f", str(file)], catch_exceptions=False)
    assert asked == (["staging"] if there else [])


def test_a_database_that_is_named_twice_is_dropped_once(
    file: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    dropped: list[str] = []

    async def drop(app: object, names: tuple[str, ...], *_: object) -> int:
        dropped.extend(names)
        return 0

    monkeypatch.setattr(aside, "drop", drop)
    arguments = ["blog_before_1", "blog_before_2", "blog_before_1", "-e", "staging", "-f", str(file), "--json"]
    ended = CliRunner().invoke(db.drop, arguments, catch_exceptions=False)
    assert (ended.exit_code, asked) == (0, ["staging"])
    assert dropped == ["blog_before_1", "blog_before_2"]
