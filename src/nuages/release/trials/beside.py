"""A set beside the release that serves: its share of the requests, its numbers, and its end.

Each function looks at the cluster and does what is left to do; killed anywhere, it is called again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from nuages.app.components import BROKER_VARIABLE
from nuages.app.objects import Object
from nuages.app.timing import PRE_STOP_SECONDS
from nuages.errors import ClusterError, Forbidden
from nuages.progress import Said
from nuages.release.phases.bring import apply_one, delete, live_of
from nuages.release.record import Stored, decode, name
from nuages.release.trials import judge
from nuages.release.trials.trial import PROMOTED, Counted
from nuages.release.world import World
from nuages.render import autoscale
from nuages.render.canary import GATEWAY, MOST, REPLICAS, SERVICE, SUFFIX, share, sized
from nuages.render.environment import METRICS_PORT
from nuages.render.labels import COMPONENT, KEY, TRACK, WEB, WORKER
from nuages.render.switch import switched, weighted
from nuages.render.tasks import celery, job, variable
from nuages.rollout.kinds import Done, Failed, tracker
from nuages.rollout.pods import moment

LONGEST = 3600
"""Seconds that a set's workers get for the tasks that wait when it is taken back; what is left then is put before the
workers that serve, as far as those know it."""

LEFT = timedelta(seconds=PRE_STOP_SECONDS)
"""After so long every proxy knows that a pod is gone; until then its Service stays."""


class Unmeasured(Exception):
    """Why pods can't be asked what they count."""


async def serving(world: World, release: Stored) -> Stored | None:
    """The release that serves, with its manifest; None where none does."""
    if world.serving is None:
        return None
    record = release.record
    found = await world.cluster.get("ConfigMap", record.namespace, name(record.app, world.serving))
    return decode(found) if found else None


def objects(release: Stored, world: World) -> list[Object]:
    """The set's objects with the pods that its step asks for."""
    trial = release.record.trial
    if trial is None:
        return []
    return [sized(item, trial.percent, trial.way, _whole(item, trial.way, world)) for item in release.manifest.canary]


def _whole(item: Object, way: str, world: World) -> int | None:
    """How many pods serve all requests now, of what scales by itself; None where the spec says it.

    A set that took all requests over has as many as it began with: those that it took them from are scaled down.
    """
    if not autoscale.scaler(item):
        return None
    about = item["metadata"]
    names = [about["name"].removesuffix(f"-{about['labels'][TRACK]}"), *([about["name"]] if way == SERVICE else [])]
    lives = [live for each in names if (live := world.mirror.get("Deployment", each))]
    return max(int(one["spec"]["replicas"]) for one in [item, *lives])


def webs(items: Sequence[Object]) -> list[Object]:
    """Of some objects, the Deployments of webs."""
    return [item for item in items if item["kind"] == "Deployment" and item["metadata"]["labels"][COMPONENT] == WEB]


def by_number(release: Stored, old: Stored, world: World) -> int:
    """The share of the requests, in percent, that a Service gives the set's pods among all."""
    mine = sum(item["spec"]["replicas"] for item in webs(objects(release, world)))
    theirs = sum(_now(item, world) for item in webs(old.manifest.web))
    return round(100 * mine / (mine + theirs)) if mine else 0


def _now(item: Object, world: World) -> int:
    """How many pods a rendered Deployment has; where something scales it, as the cluster has it."""
    live = world.mirror.get("Deployment", item["metadata"]["name"]) if autoscale.scaler(item) else None
    return int(live["spec"]["replicas"]) if live else autoscale.pods(item)


def limited(release: Stored, percent: int) -> bool:
    """Whether the database has connections for fewer pods of webs than this share, by their number, would take."""
    for item in webs(release.manifest.canary):
        limit = item["metadata"].get("annotations", {}).get(MOST)
        if limit is not None and int(limit) < share(item["spec"]["replicas"], percent, beside_others=True):
            return True
    return False


async def share_out(release: Stored, old: Stored, world: World, percent: int | None) -> None:
    """Give the set its share of the requests; None takes all of them back."""
    trial = release.record.trial
    assert trial is not None  # noqa: S101 - only asked for a set
    suffix = SUFFIX[trial.kind]
    beside = [item for item in release.manifest.canary if item["kind"] == "Service"]
    ways = [*old.manifest.web, *old.manifest.exposure]
    await world.lock.check()
    if trial.way == GATEWAY:
        names = frozenset(item["metadata"]["name"].removesuffix(f"-{suffix}") for item in beside)
        for route in [item for item in ways if item["kind"] == "HTTPRoute"]:
            await apply_one(route if percent is None else weighted(route, percent, suffix, names), world)
    elif trial.way == SERVICE:
        keys = frozenset(item["spec"]["selector"][KEY].removesuffix(f".{suffix}") for item in beside)
        for service in [item for item in ways if item["kind"] == "Service"]:
            await apply_one(service if percent is None else switched(service, suffix, keys), world)


async def take_back(release: Stored, old: Stored, world: World) -> None:
    """No request reaches the set any more; where they are shared out by the number of pods, its webs go."""
    await share_out(release, old, world, None)
    if release.record.trial and release.record.trial.way == REPLICAS:
        await end_webs(release, world)


async def end_webs(release: Stored, world: World) -> None:
    """Let the set's webs end; what they answer still, they answer."""
    for item in webs(release.manifest.canary):
        await _remove(item, world)


def left_behind(history: Sequence[Stored], world: World) -> list[Stored]:
    """The releases of which a set stands still."""
    kinds = ("Deployment", "Job")
    there = {(kind, item["metadata"]["name"]) for kind in kinds for item in world.mirror.items(kind)}
    return [
        stored
        for stored in history
        if any((item["kind"], item["metadata"]["name"]) in there for item in stored.manifest.canary)
        or there & {("Job", each) for each in job_names(stored)}
    ]


def job_names(release: Stored) -> list[str]:
    """The Jobs that look after the tasks of a set at its end, in their order."""
    return [f"{release.record.app}-tasks-{what}-{release.record.number}" for what in ("wait", "move")]


async def counted(items: Sequence[Object], world: World) -> dict[str, Counted]:
    """What each ready pod of some webs has counted since it started.

    Raises:
        Unmeasured: they have no metrics, or cannot be asked.
    """
    pods = [pod for item in webs(items) for pod in _pods(item, world) if _measured(pod)]
    if not pods:
        raise Unmeasured("the pods have no metrics")
    try:
        answers = await asyncio.gather(
            *(
                world.cluster.pod_get(pod["metadata"]["namespace"], pod["metadata"]["name"], METRICS_PORT, "/metrics")
                for pod in pods
            )
        )
    except Forbidden:
        raise Unmeasured("no right to get pods/proxy") from None
    pages = {
        pod["metadata"]["name"]: judge.read(body.decode(errors="replace"))
        for pod, (status, body) in zip(pods, answers, strict=True)
        if status == 200
    }
    if not pages:
        raise Unmeasured("the API server does not reach the pods' metrics")
    return pages


async def retire(release: Stored, world: World, *, known: Sequence[str] | None) -> str:
    """Take the set away: webs first, then its workers when no task of theirs is left.

    Args:
        release: whose set it is; its Services and routes lead elsewhere already.
        world: the cluster.
        known: the tasks that the workers know that go on; None where they know all.

    Returns what it waits for; "" when nothing is left of the set.
    """
    items = release.manifest.canary
    if not items:
        return ""
    suffix = items[0]["metadata"]["labels"][TRACK]
    await end_webs(release, world)
    own = [item for item in celery(items) if variable(item, BROKER_VARIABLE)]
    # As long as one lives, it may send tasks to the set's workers. Without those, it is enough that no request comes.
    if left := _standing(suffix, WEB, world, but=timedelta(0) if own else LEFT):
        return f"{left} of the set's webs to end"
    for item in items:
        if item["metadata"]["labels"][COMPONENT] == WEB:
            await _remove(item, world)
    names = job_names(release)
    if own and (said := await _tasks_end(own[0], names, release, world, known)):
        return said
    for item in items:
        await _remove(item, world)
    for job_name in reversed(names):
        if live := world.mirror.get("Job", job_name):
            await delete(live, world)
    return ""


async def _tasks_end(
    worker: Object, names: list[str], release: Stored, world: World, known: Sequence[str] | None
) -> str:
    """Let the set's workers end what they have, end them, and put what is left before the others."""
    stands = [item for item in release.manifest.canary if world.mirror.get("Deployment", item["metadata"]["name"])]
    waits, moves = (world.mirror.get("Job", each) for each in names)
    if waits is None and not stands:
        return ""  # all of it was done before
    grace = worker["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    seconds = 0 if known is None or not _ready(worker, world) else min(grace, LONGEST)
    if waits is None:
        asked = ["wait", "--for", str(seconds)]
        await _create(job(worker, names[0], asked, seconds=seconds + 300, tries=1), world)
        return "tasks of the set to end"
    if not _ended(waits, world):
        return "tasks of the set to end"
    for item in celery(release.manifest.canary):
        await _remove(item, world)
    if left := _standing(worker["metadata"]["labels"][TRACK], WORKER, world):
        return f"{left} of the set's workers to end"
    if moves is None:
        to = celery(release.manifest.workers)[0]
        told = {"NUAGES_BROKER_TO": variable(to, BROKER_VARIABLE)}
        asked = ["move", *([] if known is None else ["--known", ",".join(known)])]
        await _create(job(worker, names[1], asked, seconds=300, variables=told), world)
        return "what is left of tasks to be put before the workers that go on"
    if not _ended(moves, world):
        return "what is left of tasks to be put before the workers that go on"
    await _tell(moves, world)
    return ""


async def _tell(moves: Object, world: World) -> None:
    """Say what became of the tasks, where something did."""
    for pod in tracker("Job").pods(moves, world.mirror):
        try:
            log = await world.cluster.logs(pod["metadata"]["namespace"], pod["metadata"]["name"], tail=1)
        except ClusterError:
            return
        if "0 moved" not in log or "left" in log:
            world.sink(Said(log.strip().removeprefix("nuages: ")))


def known_tasks(old: Stored | None, release: Stored) -> list[str] | None:
    """The tasks that the workers know that go on; None: all of them. Unknown ones are none."""
    if release.record.trial and release.record.trial.ending == PROMOTED:
        return None
    return sorted((old.record.build.tasks if old else None) or {})


def _standing(suffix: str, component: str, world: World, but: timedelta = timedelta(0)) -> int:
    """How many pods of a set's component there are still, `but` those that have been ending for so long."""
    wanted = {(TRACK, suffix), (COMPONENT, component)}
    pods = [pod for pod in world.mirror.items("Pod") if wanted <= pod["metadata"].get("labels", {}).items()]
    return sum(not but or _ending(pod, world.now()) < but for pod in pods)


def _ending(pod: Object, now: datetime) -> timedelta:
    """For how long a pod has been ending; its deletionTimestamp is when its grace period is over."""
    about = pod["metadata"]
    if not (over := about.get("deletionTimestamp")):
        return timedelta(0)
    return now - moment(over) + timedelta(seconds=about.get("deletionGracePeriodSeconds", 0))


def _ready(worker: Object, world: World) -> bool:
    live = world.mirror.get("Deployment", worker["metadata"]["name"])
    return bool(live and live.get("status", {}).get("availableReplicas"))


def _ended(live: Object, world: World) -> bool:
    return isinstance(tracker("Job").verdict(live, world.mirror), Done | Failed)


def _pods(item: Object, world: World) -> list[Object]:
    live = world.mirror.get("Deployment", item["metadata"]["name"])
    found = tracker("Deployment").pods(live, world.mirror) if live else []
    return [pod for pod in found if pod.get("status", {}).get("podIP") and not pod["metadata"].get("deletionTimestamp")]


def _measured(pod: Object) -> bool:
    ports = [port for container in pod["spec"]["containers"] for port in container.get("ports", [])]
    return any(port["containerPort"] == METRICS_PORT for port in ports)


async def _create(made: Object, world: World) -> None:
    await world.lock.check()
    world.mirror.saw(await world.cluster.apply(made))


async def _remove(item: Object, world: World) -> None:
    """Delete an object of the set, if it is there and is one."""
    live = await live_of(item, world)
    if live and not live["metadata"].get("deletionTimestamp") and TRACK in live["metadata"].get("labels", {}):
        await delete(live, world)
