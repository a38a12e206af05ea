"""A Job beside the releases, from its start to what it printed: of a backup, a restore, a new password."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import string
from collections.abc import Callable
from typing import TypeVar

import msgspec

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.errors import ClusterError, CommandFailed
from nuages.kube.client import Cluster
from nuages.kube.watch import Mirror
from nuages.release import redact
from nuages.release.world import utc
from nuages.render.labels import BACKUP, selector
from nuages.rollout.diagnosis import diagnose
from nuages.rollout.kinds import Done, Failed, Waiting
from nuages.rollout.watcher import KINDS, judge

SHOWN = 12
"""Lines of its log that are shown where it failed."""

MARK = "failed: "
"""With which a script's own last word begins."""

T = TypeVar("T")


def fresh(app: App, what: str) -> str:
    """A name that nothing has yet: `blog-backup-x7k2p`."""
    letters = "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(5))
    return f"{app.name}-{what}-{letters}"


async def ran(app: App, job: Object, cluster: Cluster, say: Callable[[str], None]) -> list[str]:
    """Create a Job, wait for its end, and remove it; answers the lines it printed.

    Raises:
        CommandFailed: it failed, or can't start; with its own words. It stays for who wants to look.
    """
    about = job["metadata"]
    try:
        await cluster.create(job)
        async with Mirror(cluster, app.namespace, KINDS, selector(app, BACKUP, about["name"])) as mirror:
            await _ended(job, cluster, mirror, say)
            lines = await _printed(app, cluster, mirror)
    except asyncio.CancelledError:
        await asyncio.shield(_removed(about, cluster))
        raise
    await _removed(about, cluster)
    return lines


async def whole(app: App, job: Object, cluster: Cluster, say: Callable[[str], None]) -> list[str]:
    """As `ran`, but once its pod runs it is not left: who leaves then would not know which of two things is so.

    It has to be a matter of seconds. Whoever leaves nevertheless (a second Ctrl-C) ends it there.
    """
    work = asyncio.ensure_future(ran(app, job, cluster, say))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        if await _waits(app, job, cluster):
            work.cancel()
            return await work
        if leaves := asyncio.current_task():
            leaves.uncancel()
        say("it has begun, and is brought to its end")
        return await work


async def _waits(app: App, job: Object, cluster: Cluster) -> bool:
    """Whether it is there and its pod has not begun; where nobody answers, it may have."""
    name = job["metadata"]["name"]
    try:
        there = await cluster.get("Job", app.namespace, name)
        pods = (await cluster.list("Pod", app.namespace, labels=selector(app, BACKUP, name))).items
    except ClusterError:
        return False
    return there is not None and all(pod.get("status", {}).get("phase", "Pending") == "Pending" for pod in pods)


def told(lines: list[str], form: type[T]) -> T:
    """What a script says in its last line.

    Raises:
        CommandFailed: that is not what it says when all went well.
    """
    try:
        return msgspec.json.decode(lines[-1] if lines else "", type=form)
    except msgspec.DecodeError:
        raise CommandFailed("the pod ended without its last word", detail="\n".join(lines[-SHOWN:])) from None


async def _ended(job: Object, cluster: Cluster, mirror: Mirror, say: Callable[[str], None]) -> None:
    while True:
        seen = mirror.version
        match judge(job, mirror, utc()):
            case Done():
                return
            case Failed(reason):
                raise await _why(job, reason, cluster, mirror)
            case Waiting(reason):
                say(reason)
        await mirror.changed(5.0, since=seen)


async def _why(job: Object, reason: str, cluster: Cluster, mirror: Mirror) -> CommandFailed:
    """In the script's own words, where it had any; else as any workload's failure is diagnosed."""
    name = job["metadata"]["name"]
    lines: list[str] = []
    for pod in mirror.items("Pod"):
        spec = pod["spec"]
        for container in [*spec.get("initContainers", []), *spec["containers"]]:
            with contextlib.suppress(ClusterError):
                log = await cluster.logs(job["metadata"]["namespace"], pod["metadata"]["name"], container["name"])
                lines += log.splitlines()
    shown = redact.text("\n".join(lines[-SHOWN:]))
    own = next((line.removeprefix(MARK) for line in reversed(lines) if line.startswith(MARK)), "")
    if own:
        return CommandFailed(own, detail=shown)
    found = await diagnose(cluster, mirror, job)
    if found is None:
        return CommandFailed(f"{name}: {reason}", detail=shown)
    return CommandFailed(f"{name}: {found.summary}", detail=shown or found.text, hint=found.hint)


async def _printed(app: App, cluster: Cluster, mirror: Mirror) -> list[str]:
    pods = sorted(mirror.items("Pod"), key=lambda pod: str(pod["metadata"]["creationTimestamp"]))
    done = [pod for pod in pods if pod.get("status", {}).get("phase") == "Succeeded"] or pods
    return (await cluster.logs(app.namespace, done[-1]["metadata"]["name"])).splitlines() if done else []


async def _removed(about: Object, cluster: Cluster) -> None:
    with contextlib.suppress(ClusterError):
        await cluster.delete("Job", about["namespace"], about["name"])
