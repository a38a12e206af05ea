"""How many pods there are, handed over to what scales them and taken back.

Server-side apply removes a field that its only owner no longer names, and a Deployment without replicas has one pod. So
before a release leaves the number out, another manager owns it
(https://kubernetes.io/docs/reference/using-api/server-side-apply/#transferring-ownership); the autoscaler takes it over
from there with its first change. Back to a fixed number, what scaled goes before the number is written.
"""

from __future__ import annotations

import asyncio

from nuages.app.objects import Object
from nuages.errors import Rejected
from nuages.kube.client import MANAGER
from nuages.progress import Said
from nuages.release.plan.fields import owned
from nuages.release.world import World
from nuages.render.autoscale import HPA, SCALED_OBJECT, most, pods, scaler
from nuages.render.canary import SUFFIX
from nuages.render.labels import COMPONENT, WEB

HANDOVER = "nuages-autoscaler"
"""The field manager that holds the number until an autoscaler first changes it."""

AGAIN, PATIENCE = 0.25, 30.0
"""Seconds between two looks at whether KEDA has seen an autoscaler go, and how long."""

_TAKEN = "already managed by the hpa"
"""What KEDA's webhook says as long as it sees one: https://github.com/kedacore/keda, apis/keda/v1alpha1."""

_REPLICAS = ("spec", "replicas")


async def hand_over(wanted: Object, live: Object | None, world: World) -> None:
    """Before a Deployment is applied that names no replicas: let somebody else own their number.

    It stays what it is; where there are none, after a maintenance or with a queue that was empty, it is what a release
    begins with: nothing scales what has no pods, and a release has to show that they start.
    """
    first = _first(wanted, world)
    if live is None:
        world.mirror.saw(await world.cluster.apply({**wanted, "spec": {**wanted["spec"], "replicas": first}}))
        number = first
    else:
        now = live["spec"]["replicas"]
        if now >= first and _REPLICAS not in owned(live, MANAGER):
            return
        number = max(now, first)
    about = wanted["metadata"]
    held = {
        "apiVersion": wanted["apiVersion"],
        "kind": wanted["kind"],
        "metadata": {"name": about["name"], "namespace": about["namespace"]},
        "spec": {"replicas": number},
    }
    await world.lock.check()
    world.mirror.saw(await world.cluster.apply(held, force=True, manager=HANDOVER))


def _first(wanted: Object, world: World) -> int:
    """At least what a release begins with; and what serves beside it as a set, whose requests it takes over."""
    about = wanted["metadata"]
    sets = [world.mirror.get("Deployment", f"{about['name']}-{suffix}") for suffix in SUFFIX.values()]
    beside = [live["spec"]["replicas"] for live in sets if live] if about["labels"][COMPONENT] == WEB else []
    own = world.mirror.get("Deployment", about["name"])
    if not beside:
        return pods(wanted)
    serving = sum(beside) + (own["spec"]["replicas"] if own else 0)
    return min(most(wanted), max(pods(wanted), int(serving)))


def known(wanted: Object, world: World) -> bool:
    """Whether nobody's hand was in the number: something scales the Deployment, or did until now."""
    seen = world.mirror.get("Deployment", wanted["metadata"]["name"])
    return bool(scaler(wanted) or (seen and scaler(seen)))


async def take_back(wanted: Object, live: Object | None, world: World) -> None:
    """Before a Deployment is applied that is scaled by nothing, or by something else: what scaled it goes."""
    before = scaler(live) if live else ""
    if not before or before == scaler(wanted):
        return
    about = wanted["metadata"]
    found = await world.cluster.get(before, about["namespace"], about["name"])
    if found is None:
        return
    await world.lock.check()
    uid = found["metadata"]["uid"]
    await world.cluster.delete(before, about["namespace"], about["name"], uid=uid)
    word = "its autoscaler" if before == HPA else "its ScaledObject"
    world.sink(Said(f"{about['name']}: {word} is gone, {pods(wanted)} pods from now on"))


async def succeed(wanted: Object, no: Rejected, world: World) -> Object:
    """Apply what KEDA refused beside the autoscaler that had the Deployment, once that is gone: it goes with the
    Deployment's own apply, at the same time as this one, and KEDA looks into a cache.

    Raises:
        Rejected: another one has it, or it was refused for something else.
    """
    clock = asyncio.get_running_loop().time
    end = clock() + PATIENCE
    while wanted["kind"] == SCALED_OBJECT and _TAKEN in no.message and clock() < end:
        await asyncio.sleep(AGAIN)
        await world.lock.check()
        try:
            return await world.cluster.apply(wanted)
        except Rejected as still:
            no = still
    raise no
