"""An environment that nobody uses gives its room back, and keeps its data: nothing runs, everything stands.

Every Deployment and StatefulSet has no replicas, no CronJob starts anything; volumes, Secrets, addresses and walls
stay. How many there were is on each object. A deploy wakes what sleeps before it begins.

A HorizontalPodAutoscaler leaves alone what has no pods
(https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#implicit-maintenance-mode-deactivation), so
the number is handed back; KEDA brings pods back whenever tasks wait, so it is told to pause, and to go on.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.errors import Gone
from nuages.kube.client import Cluster
from nuages.kube.watch import Mirror
from nuages.progress import Sink, step
from nuages.release.environments import marks
from nuages.release.world import utc
from nuages.render.autoscale import PAUSED, SCALED_OBJECT, scaler
from nuages.render.labels import COMPONENT, KEEPER, POSTGRES, instance, owned
from nuages.rollout.kinds import Done, tracker
from nuages.rollout.watcher import KINDS

AWAKE = "nuages.dev/awake"
"""The annotation that says what an object has when it is awake: its replicas, or whether it was suspended."""

STORES_LAST = (POSTGRES, "redis", "rabbitmq", "memcached")
"""What others talk to: it wakes first, and falls asleep last."""


async def sleep(app: App, cluster: Cluster, say: Callable[[str], None]) -> int:
    """Let all of an environment sleep; answers how many objects do."""
    await marks.mark(app, cluster, asleep=marks.written(utc()))
    found = await _workloads(app, cluster)
    for item in sorted(found, key=_store):
        say(f"{item['kind']}/{item['metadata']['name']}")
        await _pause(item, "0", cluster)
        if patch := asleep(item):
            await _patch(item, patch, cluster)
    async with Mirror(cluster, app.namespace, ("Pod",), instance(app)) as mirror:
        while left := [pod for pod in mirror.items("Pod") if _stays(pod)]:
            seen = mirror.version
            say(f"{len(left)} pods left")
            await mirror.changed(since=seen)
    return len(found)


async def wake(app: App, cluster: Cluster, say: Callable[[str], None], *, patiently: bool = True) -> int:
    """Bring back what sleeps, what others talk to first, and wait until that answers; answers how many objects.

    `patiently` waits for the rest as well: a release does not, which may be there to mend it.
    """
    there = await _workloads(app, cluster)
    found = [item for item in there if AWAKE in (item["metadata"].get("annotations") or {})]
    stores = [item for item in found if _store(item)]
    others = [item for item in found if not _store(item)]
    for items in (stores, others):
        for item in items:
            say(f"{item['kind']}/{item['metadata']['name']}")
            await _patch(item, awake(item), cluster)
        if items and (patiently or items is stores):
            await _until_ready(app, items, cluster, say)
    for item in there:  # also of those that had no pods when they fell asleep
        await _pause(item, None, cluster)
    await marks.mark(app, cluster, asleep=None)
    return len(found)


async def rouse(app: App, cluster: Cluster, sink: Sink) -> None:
    """Before a release, whose stores have to answer."""
    if app.template and (found := await marks.of(app, cluster)) and found.asleep:
        with step(sink, "wake") as shown:
            await wake(app, cluster, shown.say, patiently=False)


def asleep(item: Object) -> dict[str, Any]:
    """What sends one object to sleep; nothing where it sleeps already."""
    if item["kind"] == "CronJob":
        if item["spec"].get("suspend"):
            return {}
        return {"metadata": {"annotations": {AWAKE: "started"}}, "spec": {"suspend": True}}
    replicas = item["spec"].get("replicas", 1)
    if not replicas:
        return {}
    return {"metadata": {"annotations": {AWAKE: str(replicas)}}, "spec": {"replicas": 0}}


def awake(item: Object) -> dict[str, Any]:
    """What wakes one object as it was."""
    before = item["metadata"]["annotations"][AWAKE]
    spec = {"suspend": False} if item["kind"] == "CronJob" else {"replicas": int(before)}
    return {"metadata": {"annotations": {AWAKE: None}}, "spec": spec}


async def _workloads(app: App, cluster: Cluster) -> list[Object]:
    kinds = ("CronJob", "Deployment", "StatefulSet")
    lists = [(await cluster.list(kind, app.namespace, labels=owned(app))).items for kind in kinds]
    return [item for each in lists for item in each if item["metadata"]["labels"].get(COMPONENT) != KEEPER]


async def _pause(item: Object, pods: str | None, cluster: Cluster) -> None:
    """Tell KEDA to leave a Deployment at so many pods, where it scales it; None lets it go on."""
    if item["kind"] != "Deployment" or scaler(item) != SCALED_OBJECT:
        return
    about = item["metadata"]
    told = {"metadata": {"annotations": {PAUSED: pods}}}
    with contextlib.suppress(Gone):
        await cluster.patch_merge(SCALED_OBJECT, about["namespace"], about["name"], told)


async def _patch(item: Object, patch: dict[str, Any], cluster: Cluster) -> None:
    about = item["metadata"]
    await cluster.patch_merge(item["kind"], about["namespace"], about["name"], patch)


async def _until_ready(app: App, items: list[Object], cluster: Cluster, say: Callable[[str], None]) -> None:
    judged = [item for item in items if item["kind"] != "CronJob"]
    async with Mirror(cluster, app.namespace, KINDS, instance(app)) as mirror:
        while True:
            seen = mirror.version
            live = [mirror.get(item["kind"], item["metadata"]["name"]) for item in judged]
            waits = [one for one in live if one and not isinstance(tracker(one["kind"]).verdict(one, mirror), Done)]
            if not waits:
                return
            say(f"{len(waits)} of {len(judged)} to be ready")
            await mirror.changed(since=seen)


def _store(item: Object) -> bool:
    return item["metadata"].get("labels", {}).get(COMPONENT) in STORES_LAST


def _stays(pod: Object) -> bool:
    """Whether it is one of those that end: not what a person runs, nor what has ended."""
    ended = pod.get("status", {}).get("phase") in ("Succeeded", "Failed")
    return not ended and pod["metadata"]["labels"].get(COMPONENT) not in ("run", KEEPER)
