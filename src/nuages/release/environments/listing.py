"""Which environments of an app there are in a cluster, and what each is doing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

import msgspec

from nuages.app.objects import Object
from nuages.kube.client import Cluster
from nuages.release.environments.marks import Marks, read
from nuages.render.labels import COMPONENT, MANAGER, WEB

Hosts = Callable[[str, str], tuple[str, ...]]


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """One line of `nuages env list`."""

    schema: int = 1
    environment: str
    template: str = ""
    """Empty where it is declared by itself."""
    namespace: str
    state: str
    """serves | starts | asleep | empty | ends | expired"""
    ready: int
    wanted: int
    """Pods of its webs."""
    created: datetime
    expires: datetime | None = None
    data: str = ""
    """Where its data is from: `clone of staging`, `seed`."""
    hosts: tuple[str, ...] = ()


async def listed(app: str, hosts: Hosts, cluster: Cluster, now: datetime) -> list[Listed]:
    """All environments of an app, by their names; `hosts` tells those of one in a namespace."""
    ours = {"app.kubernetes.io/part-of": app, "app.kubernetes.io/managed-by": MANAGER}
    spaces, webs = await asyncio.gather(
        cluster.list("Namespace", labels=ours), cluster.list("Deployment", labels=ours | {COMPONENT: WEB})
    )
    found = [line(read(space), webs.items, now) for space in spaces.items]
    return sorted(
        (msgspec.structs.replace(one, hosts=hosts(one.environment, one.namespace)) for one in found),
        key=lambda one: (one.template, one.environment),
    )


def line(marks: Marks, webs: list[Object], now: datetime) -> Listed:
    """What there is to say of one environment."""
    mine = [one for one in webs if one["metadata"]["namespace"] == marks.namespace]
    wanted = sum(one["spec"].get("replicas", 1) for one in mine)
    ready = sum(one.get("status", {}).get("readyReplicas", 0) for one in mine)
    data = [f"clone of {marks.cloned}"] if marks.cloned else []
    return Listed(
        environment=marks.environment,
        template=marks.template,
        namespace=marks.namespace,
        state=_state(marks, bool(mine), ready, wanted, now),
        ready=ready,
        wanted=wanted,
        created=marks.created,
        expires=marks.expires,
        data=", ".join([*data, *(["seed"] if marks.seeded else [])]),
    )


def _state(marks: Marks, deployed: bool, ready: int, wanted: int, now: datetime) -> str:
    if marks.ending:
        return "ends"
    if marks.expired(now):
        return "expired"
    if marks.asleep:
        return "asleep"
    if not deployed:
        return "empty"
    return "serves" if wanted and ready >= wanted else "starts"
