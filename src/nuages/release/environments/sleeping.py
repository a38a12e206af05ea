"""An environment that nobody uses gives its room back, and keeps its data: nothing runs, everything stands.

Every Deployment and StatefulSet has no replicas, no CronJob starts anything, what CloudNativePG's operator runs
hibernates; volumes, Secrets, addresses and walls stay. How many there were is on each object. A deploy wakes what
sleeps before it begins.

A HorizontalPodAutoscaler leaves alone what has no pods
(https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#implicit-maintenance-mode-deactivation), so
the number is handed back; KEDA brings pods back whenever tasks wait, so it is told to pause, and to go on.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.errors import CommandFailed, Gone
from nuages.kube.client import Cluster
from nuages.kube.watch import Mirror
from nuages.progress import Sink, step
from nuages.release.environments import marks
from nuages.release.world import utc
from nuages.render.autoscale import PAUSED, SCALED_OBJECT, scaler
from nuages.render.cloudnativepg import CLUSTER, SCHEDULED
from nuages.render.labels import COMPONENT, KEEPER, POSTGRES, instance, owned
from nuages.rollout.cloudnativepg import HIBERNATION, answers, cure, hibernated
from nuages.rollout.kinds import Done, tracker
from nuages.rollout.watcher import KINDS

AWAKE = "nuages.dev/awake"
"""The annotation that says what an object has when it is awake: its replicas, or whether it was suspended."""

PATIENCE = timedelta(minutes=10)
"""How long an operator may take to end its pods, or to bring them back."""

_STARTING = ("CronJob", SCHEDULED)

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
    if app.cloudnativepg:
        await _operated(app, hibernated, "to hibernate", cluster, say)
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
            if any(item["kind"] == CLUSTER for item in items):
                await _operated(app, _answers, "to answer", cluster, say)
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
    if item["kind"] in _STARTING:
        if item["spec"].get("suspend"):
            return {}
        return {"metadata": {"annotations": {AWAKE: "started"}}, "spec": {"suspend": True}}
    if item["kind"] == CLUSTER:
        if (item["metadata"].get("annotations") or {}).get(HIBERNATION) == "on":
            return {}
        return {"metadata": {"annotations": {AWAKE: "started", HIBERNATION: "on"}}}
    replicas = item["spec"].get("replicas", 1)
    if not replicas:
        return {}
    return {"metadata": {"annotations": {AWAKE: str(replicas)}}, "spec": {"replicas": 0}}


def awake(item: Object) -> dict[str, Any]:
    """What wakes one object as it was."""
    if item["kind"] == CLUSTER:
        return {"metadata": {"annotations": {AWAKE: None, HIBERNATION: None}}}
    before = item["metadata"]["annotations"][AWAKE]
    spec = {"suspend": False} if item["kind"] in _STARTING else {"replicas": int(before)}
    return {"metadata": {"annotations": {AWAKE: None}}, "spec": spec}


async def _workloads(app: App, cluster: Cluster) -> list[Object]:
    kinds = ("CronJob", "Deployment", "StatefulSet", *((SCHEDULED, CLUSTER) if app.cloudnativepg else ()))
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
    judged = [item for item in items if item["kind"] in ("Deployment", "StatefulSet")]
    async with Mirror(cluster, app.namespace, KINDS, instance(app)) as mirror:
        while True:
            seen = mirror.version
            live = [mirror.get(item["kind"], item["metadata"]["name"]) for item in judged]
            waits = [one for one in live if one and not isinstance(tracker(one["kind"]).verdict(one, mirror), Done)]
            if not waits:
                return
            say(f"{len(waits)} of {len(judged)} to be ready")
            await mirror.changed(since=seen)


async def _operated(
    app: App, there: Callable[[Object], bool], what: str, cluster: Cluster, say: Callable[[str], None]
) -> None:
    """Wait until their operator has done what it was told to.

    Raises:
        CommandFailed: it does nothing; what was told to it stays.
    """
    began = utc()
    async with Mirror(cluster, app.namespace, (CLUSTER,), owned(app)) as mirror:
        while waits := [item for item in mirror.items(CLUSTER) if not there(item)]:
            name, seen = waits[0]["metadata"]["name"], mirror.version
            if utc() - began > PATIENCE:
                minutes = PATIENCE.seconds // 60
                raise CommandFailed(f"{name} is {what} for {minutes} min", hint=cure(app.namespace, name))
            say(f"{name} {what}")
            await mirror.changed(5.0, since=seen)


def _answers(live: Object) -> bool:
    return isinstance(answers(live), Done)


def _store(item: Object) -> bool:
    return item["metadata"].get("labels", {}).get(COMPONENT) in STORES_LAST


def _stays(pod: Object) -> bool:
    """Whether it is one of those that end: not what a person runs, nor what has ended."""
    ended = pod.get("status", {}).get("phase") in ("Succeeded", "Failed")
    return not ended and pod["metadata"]["labels"].get(COMPONENT) not in ("run", KEEPER)
