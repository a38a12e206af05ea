"""How an environment stands, asked of its cluster: all lists at once, and a diagnosis only of what is not well."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.errors import ClusterError, Forbidden, Rejected
from nuages.kube.client import Cluster
from nuages.kube.watch import Mirror
from nuages.release import brief, picture
from nuages.release.locks import lock
from nuages.release.locks.lease import Claim, Life, Sight, claim
from nuages.release.seen import Hold, Problem, Seen, Status
from nuages.release.site import Site, site
from nuages.release.usage import measured
from nuages.release.world import utc
from nuages.render.labels import instance
from nuages.rollout.diagnosis import diagnose
from nuages.rollout.kinds import tracker
from nuages.rollout.pods import Symptom, moment
from nuages.rollout.watcher import KINDS, pod_troubles, survey
from nuages.spec.model import Expose

LOOKED_AT = tuple(dict.fromkeys((*KINDS, "CronJob", "ConfigMap")))
"""What a status is made of; records are ConfigMaps."""

METERED = 15.0
"""Seconds after which usage is asked for again: metrics-server measures as often."""

STARTING = timedelta(seconds=20)
"""So long a pod may take to become ready before that is a problem: a boot takes some seconds, a pull as well."""

QUIET = 0.2
"""Seconds in which changes are gathered before they are shown."""

_LACKING = frozenset({Symptom.UNSCHEDULABLE, Symptom.CONFIG, Symptom.IMAGE})

_REREAD = 5.0  # seconds after which what no watch tells of (the lock) is looked at again


async def status(app: App, cluster: Cluster, http_port: int | None = None) -> Status:
    """Look once at everything; `http_port` is where the ingress controller answers, where that is not the usual one."""
    where = site(app)
    lists, lease, used, secret = await asyncio.gather(
        asyncio.gather(*(cluster.list(kind, where.namespace, labels=where.labels) for kind in LOOKED_AT)),
        cluster.get("Lease", where.namespace, lock.name(where.name)),
        metered(where, cluster),
        _certificate(where, cluster),
    )
    objects = {kind: listed.items for kind, listed in zip(LOOKED_AT, lists, strict=True)}
    seen = Seen(objects, hold(lease), used, secret)
    return await told(where, seen, cluster, http_port)


async def told(where: Site, seen: Seen, cluster: Cluster, http_port: int | None) -> Status:
    """What was seen, and why what is not well is so."""
    found = survey(picture.workloads(seen), seen, utc())
    history = brief.records(seen.items("ConfigMap"))
    why = [await _problem(item, text, cluster, seen) for item, text in found.failed]
    running = bool(history) and history[0]["outcome"] == "running"
    # What is not ready though nothing is under way has a cause: a broker that is away, a probe that fails. And what
    # finds no node, no image or no configuration has one at any time.
    late = [item for item, _ in found.waiting if _held_up(item, seen) or not (running or _young(item, seen))]
    why += [problem for item in late if (problem := await _problem(item, "", cluster, seen)).detail]
    return picture.picture(where, seen, utc(), cluster.context, port=http_port, why=why)


async def watched(app: App, cluster: Cluster, http_port: int | None, show: Callable[[Status], None]) -> None:
    """Show how it stands, again whenever that changes and every few seconds, until cancelled."""
    where, sight = site(app), Sight()
    clock = asyncio.get_running_loop().time
    async with Mirror(cluster, where.namespace, LOOKED_AT, where.labels) as mirror:
        used, secret, asked = None, None, None
        while True:
            version = mirror.version
            if asked is None or clock() - asked > METERED:
                (used, secret), asked = (
                    await asyncio.gather(metered(where, cluster), _certificate(where, cluster)),
                    clock(),
                )
            lease = await cluster.get("Lease", where.namespace, lock.name(where.name))
            objects = {kind: mirror.items(kind) for kind in LOOKED_AT}
            show(await told(where, Seen(objects, hold(lease, sight), used, secret), cluster, http_port))
            await mirror.changed(_REREAD, since=version)
            await asyncio.sleep(QUIET)


async def metered(where: Site, cluster: Cluster) -> dict[str, tuple[int, int]] | None:
    """What the app's pods use; None where the cluster does not measure it, or does not tell us."""
    try:
        found = await cluster.list("PodMetrics", where.namespace, labels=where.labels)
    except ClusterError:
        return None
    return measured(found.items)


async def _certificate(where: Site, cluster: Cluster) -> Object | None:
    if not where.certificate:
        return None
    try:
        return await cluster.get("Secret", where.namespace, where.certificate)
    except (Forbidden, Rejected):
        return None


def hold(lease: Object | None, sight: Sight | None = None) -> Hold | None:
    """Who has the lock; None where nobody has, or a process of this machine died over it."""
    if lease is None or not lease["spec"].get("holderIdentity") or (sight or Sight()).judge(lease) is Life.NONE:
        return None
    return held_by(claim(lease))


def held_by(says: Claim) -> Hold:
    """What is told of who has the lock, or had it."""
    return Hold(who=says.who, since=says.since, command=says.command, message=says.message, by_hand=says.by_hand)


async def way_in(app: App, cluster: Cluster, http_port: int | None = None) -> list[str]:
    """Where the app answers, as URLs."""
    services = await cluster.list("Service", app.namespace, labels=instance(app))
    return [*site(app).urls(http_port), *picture.addresses(services.items)]


def encrypted(expose: Expose | None) -> bool:
    """Whether browsers come by https, as far as the spec knows."""
    return bool(expose and expose.tls and expose.tls.none is None)


def _held_up(workload: Object, seen: Seen) -> bool:
    """Whether its pods lack something that time alone does not bring."""
    return any(trouble.symptom in _LACKING for trouble in pod_troubles(workload, seen))


def _young(workload: Object, seen: Seen) -> bool:
    """Whether all that its pods lack is time: each that is not ready just began."""
    found = [pod for pod in tracker(workload["kind"]).pods(workload, seen) if not _ready(pod)]
    now = utc()
    return bool(found) and all(_began(pod, now) for pod in found)


def _began(pod: Object, now: datetime) -> bool:
    """For the first time, or once again after it had been told to end and did: that is no crash."""
    again = [each for each in pod.get("status", {}).get("containerStatuses", ()) if each["restartCount"]]
    if not again:
        return now - moment(pod["metadata"]["creationTimestamp"]) < STARTING
    return all(
        each["restartCount"] == 1
        and each.get("lastState", {}).get("terminated", {}).get("exitCode") == 0
        and (running := each.get("state", {}).get("running")) is not None
        and now - moment(running["startedAt"]) < STARTING
        for each in again
    )


def _ready(pod: Object) -> bool:
    conditions = pod.get("status", {}).get("conditions", ())
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


async def _problem(workload: Object, reason: str, cluster: Cluster, seen: Seen) -> Problem:
    found = await diagnose(cluster, seen, workload)
    name = workload["metadata"]["name"]
    if found is None:
        return Problem(name=name, summary=reason, detail="", hint="")
    return Problem(name=name, summary=found.summary, detail=found.text, hint=found.hint)
