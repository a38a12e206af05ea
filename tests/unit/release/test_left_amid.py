"""What has begun and takes a moment is brought to its end, whoever leaves: only then it is known which of two is so."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from nuages.app.components import resolve
from nuages.errors import Unreachable, UsageError
from nuages.release.keeping import aside, jobs
from nuages.spec.load import parse

pytestmark = pytest.mark.unit

TEXT = b"""
name: blog
image: a/b
services: {postgres: {run: {}}}
databases: {default: postgres}
environments: {local: }
"""
APP = resolve(parse(TEXT, "nuages.yaml"), "local")
JOB = {"metadata": {"name": "blog-switch-1", "namespace": "blog-local"}}


class Cluster:
    """One whose Job is there or not, with a pod in this phase; None: it does not answer."""

    def __init__(self, phase: str | None, *, there: bool = True) -> None:
        self.phase, self.there = phase, there

    async def get(self, kind: str, namespace: str, name: str) -> object:
        if self.phase is None:
            raise Unreachable("no answer")
        return JOB if self.there else None

    async def list(self, kind: str, namespace: str, labels: dict[str, str]) -> SimpleNamespace:
        return SimpleNamespace(items=[{"status": {"phase": self.phase}}] if self.phase else [])


@pytest.mark.parametrize(
    ("cluster", "ends"),
    [
        (Cluster("Pending"), False),
        (Cluster("Running"), True),
        (Cluster("Succeeded"), True),
        (Cluster("", there=True), False),  # its controller has made no pod yet
        (Cluster("", there=False), True),  # it has ended, and was removed
        (Cluster(None), True),
    ],
)
async def test_who_leaves_ends_what_has_not_begun_and_sees_the_end_of_what_has(monkeypatch, cluster, ends) -> None:
    began, may_end = asyncio.Event(), asyncio.Event()

    async def ran(*_: object) -> list[str]:
        began.set()
        await may_end.wait()
        return ["switched"]

    monkeypatch.setattr(jobs, "ran", ran)
    said: list[str] = []
    story = asyncio.create_task(jobs.whole(APP, JOB, cluster, said.append))
    await began.wait()
    story.cancel()
    if not ends:
        with pytest.raises(asyncio.CancelledError):
            await story
        return
    while not said:
        await asyncio.sleep(0)
    may_end.set()
    assert await story == ["switched"]
    assert said == ["it has begun, and is brought to its end"]


async def test_who_insists_leaves_at_once(monkeypatch) -> None:
    began = asyncio.Event()

    async def ran(*_: object) -> list[str]:
        began.set()
        return await asyncio.Event().wait() or []

    monkeypatch.setattr(jobs, "ran", ran)
    said: list[str] = []
    story = asyncio.create_task(jobs.whole(APP, JOB, Cluster("Running"), said.append))
    await began.wait()
    story.cancel()
    while not said:
        await asyncio.sleep(0)
    story.cancel()
    with pytest.raises(asyncio.CancelledError):
        await story


@pytest.mark.parametrize("name", ["blog", "postgres", "template1"])
def test_what_is_needed_is_never_dropped(name: str) -> None:
    with pytest.raises(UsageError):
        aside.check(APP, ["blog_before_20261122_101500", name])
    aside.check(APP, ["blog_before_20261122_101500"])
