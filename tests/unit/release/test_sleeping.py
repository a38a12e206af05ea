"""What falls asleep, and wakes as it was, whoever scales it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
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
