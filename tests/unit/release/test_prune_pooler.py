"""PgBouncer stays as long as somebody goes by it, with all that leads to it."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from nuages.app.components import resolve
from nuages.app.objects import Object
from nuages.release import leftover, records
from nuages.release.phases import prune
from nuages.release.record import Stored
from nuages.render.labels import PGBOUNCER
from nuages.render.manifest import render
from nuages.render.release import Release
from nuages.spec.load import parse

from .examples import BUILD, live, record, stored

pytestmark = pytest.mark.unit

SPEC = """\
name: blog
image: a/b
services: {redis: {run: {}}, postgres: {run: {storage: 1Gi}}}
databases: {default: postgres}
pool: {pgbouncer: {}}
workers: {main: {celery: blog, longestTask: 2h}}
environments: {local: }
"""
GOES_BY_IT = [{"name": "worker", "env": [{"name": "NUAGES_POOLER", "value": "transaction"}]}]
GOES_STRAIGHT = [{"name": "worker", "env": [{"name": "NUAGES_POOLER", "value": ""}]}]


class Cluster:
    """One that has all that a release with PgBouncer has made, and some pods."""

    def __init__(self, items: list[Object], pods: list[Object], kept: list[Object]) -> None:
        self.items = {(item["kind"], item["metadata"]["name"]): item for item in items}
        self.lists = {"Pod": pods, "Deployment": kept}

    async def get(self, kind: str, namespace: str | None, name: str) -> Object | None:
        return self.items.get((kind, name))

    async def list(self, kind: str, namespace: str, labels: dict[str, str]) -> Any:
        return SimpleNamespace(items=self.lists.get(kind, []))


def story(pods: list[Object], kept: list[Object]) -> tuple[Stored, Stored, Cluster]:
    """A release without PgBouncer, the one with it before, and what that left."""
    with_it, without = (
        render(resolve(parse(text.encode(), "nuages.yaml"), "local"), Release(number=1, template=1, build=BUILD))
        for text in (SPEC, SPEC.replace("pool: {pgbouncer: {}}\n", ""))
    )
    before = msgspec.structs.replace(live(1), manifest=with_it)
    release = msgspec.structs.replace(stored(record(2)), manifest=without)
    items = [item for item in with_it.objects if item["kind"] != "Namespace"]
    there = [{**item, "metadata": {**item["metadata"], "uid": "u-1"}} for item in items]
    return release, before, Cluster(there, pods, kept)


def removable(pods: list[Object], kept: list[Object]) -> set[tuple[str, str]]:
    """What a release without PgBouncer removes of one with it."""
    release, before, cluster = story(pods, kept)
    found = asyncio.run(leftover.removable(release, [release, before], cluster))  # type: ignore[arg-type]
    return {(item["kind"], item["metadata"]["name"]) for item in found}


def pod(containers: list[Object], phase: str = "Running") -> Object:
    about = {"name": "blog-worker-main-x", "labels": {"app.kubernetes.io/component": "worker"}}
    return {"metadata": about, "spec": {"containers": containers}, "status": {"phase": phase}}


def deployment(containers: list[Object], replicas: int) -> Object:
    spec = {"replicas": replicas, "template": {"spec": {"containers": containers}}}
    about = {"name": "blog-worker-main-old", "uid": "u-2", "labels": {}}
    return {"kind": "Deployment", "metadata": about, "spec": spec}


ALL = {
    *((kind, "blog-pgbouncer") for kind in ("Deployment", "Service", "PodDisruptionBudget", "NetworkPolicy")),
    ("NetworkPolicy", "blog-to-pgbouncer"),
    ("NetworkPolicy", "blog-postgres-from-pgbouncer"),
    ("NetworkPolicy", "blog-to-postgres-from-pgbouncer"),
}


@pytest.mark.parametrize(
    ("pods", "kept", "stays"),
    [
        ([pod(GOES_BY_IT)], [], True),  # it ends, and its task takes hours
        ([pod(GOES_BY_IT, "Succeeded")], [], False),
        ([], [deployment(GOES_BY_IT, 1)], True),  # old workers, kept for tasks that only they know
        ([], [deployment(GOES_BY_IT, 0)], False),
        ([pod(GOES_STRAIGHT)], [deployment(GOES_STRAIGHT, 1)], False),
    ],
)
def test_pgbouncer_goes_with_the_last_who_goes_by_it(pods: list[Object], kept: list[Object], stays: bool) -> None:
    found = removable(pods, kept)
    assert found & ALL == (set() if stays else ALL)


async def test_the_record_that_names_what_stays_is_not_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else no later release would know of it, and it stood for ever."""
    release, before, cluster = story([pod(GOES_BY_IT)], [])
    others = [live(number) for number in range(30, 2, -1)]
    history = [msgspec.structs.replace(release, record=record(31)), *others, before]
    assert before not in records.kept(history)
    forgotten: list[int] = []

    async def known(*_: object) -> list[Stored]:
        return history

    async def forget(history: list[Stored], kept: list[Stored], _: object) -> None:
        forgotten.extend(stored.record.number for stored in history if stored not in kept)

    async def nothing(*_: object, **__: object) -> None:
        return None

    monkeypatch.setattr(prune.records, "history", known)
    monkeypatch.setattr(prune.records, "forget", forget)
    monkeypatch.setattr(cluster, "delete", nothing, raising=False)
    world: Any = SimpleNamespace(
        cluster=cluster, lock=SimpleNamespace(check=nothing), mirror=SimpleNamespace(items=lambda kind: [])
    )
    await prune.prune(history[0], world)
    assert 1 not in forgotten and forgotten
    cluster.lists["Pod"] = []
    forgotten.clear()
    await prune.prune(history[0], world)
    assert 1 in forgotten


async def test_the_way_that_a_killed_copy_left_open_is_closed_by_the_next_release() -> None:
    release, before, cluster = story([], [])
    wall = {
        "kind": "NetworkPolicy",
        "metadata": {"name": "blog-clone-local", "uid": "u-9", "labels": {}},
        "spec": {"podSelector": {}},
    }
    cluster.lists["NetworkPolicy"] = [wall]
    assert wall in await leftover.removable(release, [release, before], cluster)  # type: ignore[arg-type]


def test_what_postgres_lets_in_by_itself_does_not_depend_on_pgbouncer() -> None:
    """Else a release that has it no more would cut off the pods that go by it, before any of them is replaced."""
    app = resolve(parse(SPEC.encode(), "nuages.yaml"), "local")
    walls = render(app, Release(number=1, template=1, build=BUILD)).foundation
    (own,) = [item for item in walls if (item["kind"], item["metadata"]["name"]) == ("NetworkPolicy", "blog-postgres")]
    assert PGBOUNCER not in str(own)
