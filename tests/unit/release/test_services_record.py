"""What is written down of changes of data stores."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from types import SimpleNamespace
from typing import cast

import msgspec
import pytest

from nuages.app.components import App, resolve
from nuages.app.objects import Object
from nuages.kube.client import Cluster
from nuages.release.locks.lock import Lock
from nuages.release.services import apply, record
from nuages.release.services.change import Store, Way
from nuages.release.services.record import Changed, Outcome
from nuages.spec.load import parse

from .examples import NOON
from .kept import Kept

pytestmark = pytest.mark.unit


def app() -> App:
    spec = b"name: blog\nimage: a/b\nservices: {redis: {run: }}\nenvironments: {local: }\n"
    return resolve(parse(spec, "nuages.yaml"), "local")


def test_what_somebody_began_and_never_ended_is_closed_and_nothing_else() -> None:
    cluster = cast("Cluster", Kept())
    killed = Changed(service="redis", way=Way.RESTART, by="ada@laptop", started=NOON)
    done = Changed(
        service="redis",
        way=Way.GROW,
        by="ada@laptop",
        started=NOON - timedelta(days=1),
        ended=NOON,
        outcome=Outcome.DONE,
    )

    async def story() -> list[Changed]:
        await record.write(app(), killed, cluster)
        await record.write(app(), done, cluster)
        await record.close(app(), cluster)
        return await record.history(app(), cluster)

    newest, oldest = asyncio.run(story())
    assert newest.outcome is Outcome.STOPPED
    assert newest.ended
    assert oldest == done


def test_who_is_interrupted_leaves_no_change_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    async def interrupted(app: App, store: Store, cluster: Cluster, held: Lock) -> Object:
        raise asyncio.CancelledError

    monkeypatch.setattr(apply, "_become", interrupted)
    cluster = cast("Cluster", Kept())
    store = Store(service="redis", name="blog-redis", way=Way.RESTART)

    async def story() -> list[Changed]:
        with pytest.raises(asyncio.CancelledError):
            await apply._change(app(), store, cluster, cast("Lock", SimpleNamespace()), lambda _: None)
        return await record.history(app(), cluster)

    (found,) = asyncio.run(story())
    assert found.outcome is Outcome.STOPPED


@pytest.mark.parametrize(("ready", "gone"), [("True", []), ("False", ["blog-redis-0"])])
def test_a_broken_pod_gives_way_to_the_mended_one(ready: str, gone: list[str]) -> None:
    about = {"name": "blog-redis-0", "namespace": "blog-local", "uid": "u-1"}
    removed = []

    class Pods(Kept):
        async def delete(self, kind: str, namespace: str, name: str, *, uid: str) -> None:
            removed.append(name)

    kept = Pods()
    kept.objects["Pod", "blog-redis-0"] = {
        "metadata": about,
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }
    live = {"kind": "StatefulSet", "metadata": {"name": "blog-redis", "namespace": "blog-local"}}
    asyncio.run(apply._give_way(live, cast("Cluster", kept)))
    assert removed == gone


@pytest.mark.parametrize("outcome", [Outcome.STOPPED, Outcome.FAILED, Outcome.DONE])
@pytest.mark.parametrize("ready", [0, 1])
def test_a_server_that_an_upgrade_may_have_left_read_only_is_opened_once_it_answers(
    outcome: Outcome, ready: int
) -> None:
    spec = b"name: blog\nimage: a/b\nservices: {postgres: {run: }}\nenvironments: {local: }\n"
    blog = resolve(parse(spec, "nuages.yaml"), "local")
    kept = Kept()
    kept.objects["StatefulSet", "blog-postgres"] = {"status": {"readyReplicas": ready}}
    upgraded = Changed(service="postgres", way=Way.UPGRADE, by="ada@laptop", started=NOON, outcome=outcome)
    before = msgspec.structs.replace(upgraded, way=Way.RESTART, started=NOON - timedelta(days=1))
    other = msgspec.structs.replace(upgraded, service="redis", way=Way.RESTART, started=NOON + timedelta(days=1))
    cluster = cast("Cluster", kept)

    async def story() -> bool:
        for one in (before, upgraded, other):
            await record.write(blog, one, cluster)
        return await apply.unended(blog, cluster)

    assert asyncio.run(story()) is (outcome is not Outcome.DONE and bool(ready))
