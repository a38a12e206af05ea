"""What falls asleep, and wakes as it was, whoever scales it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from nuages.app.components import resolve
from nuages.app.objects import Object
from nuages.errors import Refused
from nuages.kube.client import Cluster
from nuages.progress import silent
from nuages.release import byhand
from nuages.release.environments import marks, sleeping
from nuages.release.environments.sleeping import AWAKE
from nuages.render.autoscale import PAUSED, SCALED
from nuages.spec.load import parse

from .examples import NOON, live

pytestmark = pytest.mark.unit

APP = resolve(parse(b"name: blog\nimage: a/b\nenvironments: {local: }\n", "nuages.yaml"), "local")


def deployment(name: str, replicas: int, scaled: str = "") -> Object:
    about: Object = {"name": name, "namespace": "blog-local", "labels": {}}
    about["annotations"] = {SCALED: f"{scaled} 0-5, 1 at first"} if scaled else {}
    return {"kind": "Deployment", "metadata": about, "spec": {"replicas": replicas}}


class Written:
    """Lists what there is, and keeps what is written, in its order."""

    def __init__(self, *items: Object) -> None:
        self.items = items
        self.patches: list[tuple[str, str, dict[str, Any]]] = []

    async def list(self, kind: str, namespace: str, *, labels: object) -> SimpleNamespace:
        return SimpleNamespace(items=[item for item in self.items if item["kind"] == kind])

    async def patch_merge(self, kind: str, namespace: str | None, name: str, patch: dict[str, Any]) -> Object:
        self.patches.append((kind, name, patch))
        return {}


def test_what_queues_scale_is_paused_and_goes_on_also_where_nothing_waited() -> None:
    written = Written(deployment("blog-mail", 0, "ScaledObject"), deployment("blog-web", 3, "HorizontalPodAutoscaler"))
    cluster = cast("Cluster", written)
    asyncio.run(sleeping.wake(APP, cluster, lambda _: None, patiently=False))
    told = [(kind, name, patch["metadata"]["annotations"]) for kind, name, patch in written.patches]
    assert ("ScaledObject", "blog-mail", {PAUSED: None}) in told
    assert not [one for one in told if one[:2] == ("ScaledObject", "blog-web")]


def test_an_autoscaler_is_handed_the_number_back_that_it_had_come_to() -> None:
    item = deployment("blog-web", 4, "HorizontalPodAutoscaler")
    patch = sleeping.asleep(item)
    assert patch["spec"] == {"replicas": 0}
    item["metadata"]["annotations"] |= patch["metadata"]["annotations"]
    assert sleeping.awake(item) == {"metadata": {"annotations": {AWAKE: None}}, "spec": {"replicas": 4}}


def test_what_sleeps_is_not_scaled_or_restarted_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its data stores are away, and it would not wake as it was."""
    app = msgspec.structs.replace(APP, template="preview")

    @contextlib.asynccontextmanager
    async def held(*_: object) -> AsyncIterator[object]:
        yield None, [live(1)]

    async def marked(*_: object) -> object:
        return SimpleNamespace(asleep=NOON)

    async def story() -> None:
        async with byhand.changing(app, ("scale", "web=5"), cast("Cluster", Written()), silent):
            raise AssertionError

    monkeypatch.setattr(byhand, "held", held)
    monkeypatch.setattr(marks, "of", marked)
    with pytest.raises(Refused, match="local sleeps"):
        asyncio.run(story())


OPERATED = resolve(
    parse(
        b"name: blog\nimage: a/b\nservices: {postgres: {cloudnativepg: {}}}\ndatabases: {default: postgres}\n"
        b"environments: {local: }\n",
        "nuages.yaml",
    ),
    "local",
)


class Operator:
    """A Cluster and what goes by the clock, as their operator sees them; each look at them is one step further."""

    def __init__(self, *statuses: Object) -> None:
        about = {
            "namespace": "blog-local",
            "name": "blog-postgres",
            "labels": {"app.kubernetes.io/component": "postgres"},
        }
        self.items: dict[str, Object] = {
            "Cluster": {"kind": "Cluster", "metadata": {**about, "annotations": {}}, "spec": {"instances": 1}},
            "ScheduledBackup": {"kind": "ScheduledBackup", "metadata": {**about, "annotations": {}}, "spec": {}},
        }
        self.statuses = list(statuses)
        self.version = 0

    async def list(self, kind: str, namespace: str, *, labels: object) -> SimpleNamespace:
        return SimpleNamespace(items=[self.items[kind]] if kind in self.items else [])

    async def patch_merge(self, kind: str, namespace: str | None, name: str, patch: dict[str, Any]) -> Object:
        if kind in self.items:
            annotations = self.items[kind]["metadata"]["annotations"] | patch["metadata"]["annotations"]
            about = self.items[kind]["metadata"]
            about["annotations"] = {key: value for key, value in annotations.items() if value is not None}
            self.items[kind]["spec"] |= patch.get("spec", {})
        return {}

    @contextlib.asynccontextmanager
    async def mirror(self, _: object, namespace: str, kinds: tuple[str, ...], labels: object) -> AsyncIterator[object]:
        yield SimpleNamespace(items=self.seen, version=0, changed=self.changed, get=lambda *_: None)

    def seen(self, kind: str) -> Sequence[Object]:
        return [self.items[kind] | {"status": self.statuses[0]}] if kind == "Cluster" else []

    async def changed(self, *_: object, since: int) -> None:
        self.statuses.pop(0)


def condition(status: str) -> Object:
    return {
        "conditions": [{"type": "cnpg.io/hibernation", "status": status}],
        "readyInstances": 1,
        "currentPrimary": "1",
    }


async def test_what_an_operator_runs_hibernates_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    awake: Object = {"readyInstances": 1, "currentPrimary": "blog-postgres-1"}
    operator = Operator(awake, condition("False"), condition("True"))
    monkeypatch.setattr(sleeping, "Mirror", operator.mirror)
    cluster, said = cast("Cluster", operator), list[str]()
    assert await sleeping.sleep(OPERATED, cluster, said.append) == 2
    told = operator.items["Cluster"]["metadata"]["annotations"]
    assert told == {AWAKE: "started", "cnpg.io/hibernation": "on"}
    assert operator.items["ScheduledBackup"]["spec"] == {"suspend": True}
    assert said.count("blog-postgres to hibernate") == 2

    # What it says just after it was told is old: it would seem to answer.
    operator.statuses = [condition("True"), {**awake, "readyInstances": 0}, awake]
    assert await sleeping.wake(OPERATED, cluster, said.append) == 2
    assert operator.statuses == [awake]
    assert operator.items["Cluster"]["metadata"]["annotations"] == {}
    assert operator.items["ScheduledBackup"]["spec"] == {"suspend": False}


async def test_one_that_a_person_has_put_to_sleep_stays_so(monkeypatch: pytest.MonkeyPatch) -> None:
    operator = Operator(condition("True"))
    monkeypatch.setattr(sleeping, "Mirror", operator.mirror)
    operator.items["Cluster"]["metadata"]["annotations"] = {"cnpg.io/hibernation": "on"}
    await sleeping.sleep(OPERATED, cast("Cluster", operator), lambda _: None)
    await sleeping.wake(OPERATED, cast("Cluster", operator), lambda _: None)
    assert operator.items["Cluster"]["metadata"]["annotations"] == {"cnpg.io/hibernation": "on"}
