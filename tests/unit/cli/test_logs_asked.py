"""What `nuages logs` asks a cluster for: the pods once, and a watch only where it goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

import pytest

from nuages.app.components import resolve
from nuages.cli import logs, recalled
from nuages.cli.logs import _story
from nuages.kube.client import ObjectList
from nuages.release.printed import Line
from nuages.spec.load import load

if TYPE_CHECKING:
    from nuages.kube.client import Cluster

pytestmark = pytest.mark.unit

BLOG = Path(__file__).parents[3] / "examples" / "blog.nuages.yaml"
LABELS = {"app.kubernetes.io/component": "web", "nuages.dev/key": "main"}
POD = {
    "metadata": {"namespace": "blog-local", "name": "blog-web-main-1-a", "uid": "1", "labels": LABELS},
    "spec": {"containers": [{"name": "web"}]},
}


class _Cluster:
    """One pod with one line; it can't be watched."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def log_lines(self, *_: str, **__: str) -> AsyncIterator[list[tuple[str, str]]]:
        yield [("2026-01-02T03:04:05Z", "hello")]

    async def list(self, *_: object) -> ObjectList:
        return ObjectList([POD], "1")

    def watch(self, *_: object) -> Any:
        raise AssertionError("nothing goes on")


def test_what_is_there_is_read_without_a_watch() -> None:
    shown: list[Line] = []
    app = resolve(load(BLOG), "local")
    story = _story(
        app,
        cast("Cluster", _Cluster()),
        lambda _: True,
        shown.extend,
        follow=False,
        tail=10,
        since=None,
        previous=False,
    )
    asyncio.run(story)
    assert [line.text for line in shown] == ["hello"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--grep", "hello"), ""),
        (("--grep", "zzz", "--since", "1m"), "nothing of what you ask for was printed in the last 1m\n"),
    ],
)
def test_that_nothing_was_found_is_said_beside_the_output(arguments, told, monkeypatch, capfd):
    monkeypatch.setattr(logs, "cluster_of", lambda *_: _Cluster())
    monkeypatch.setattr(recalled, "keep", lambda *_: None)
    logs.command(["-f", str(BLOG), *arguments], standalone_mode=False)
    assert capfd.readouterr().err == told
