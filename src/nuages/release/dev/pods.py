"""The pod: made, joined where it is there already, waited for, removed."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.errors import ClusterError, CommandFailed, Gone
from nuages.kube.client import Cluster
from nuages.kube.forward import Tunnel
from nuages.kube.watch import Mirror
from nuages.release.world import utc
from nuages.render.labels import RUN, selector
from nuages.rollout.diagnosis import failure
from nuages.rollout.kinds import Failed
from nuages.rollout.watcher import judge

_ATTEMPTS, _PAUSE = 40, 0.5  # seconds between two: a pod that was evicted is there again within twenty


def name(app: App, person: str) -> str:
    """Whose it is can be read from it: one for each person (user@host) of an environment."""
    who = re.sub(r"[^a-z0-9]+", "-", person.partition("@")[0].lower()).strip("-")[:20].strip("-")
    return f"{app.name}-dev-{who or 'somebody'}"


def runs(pod: Object) -> bool:
    """Whether its program runs, and nobody ended it."""
    statuses = pod.get("status", {}).get("containerStatuses") or [{}]
    return "deletionTimestamp" not in pod["metadata"] and bool((statuses[0].get("state") or {}).get("running"))


def over(pod: Object) -> str:
    """Why it does not run any more; "" while it does, or is about to."""
    if "deletionTimestamp" in pod["metadata"]:
        return "somebody removed the pod"
    status = pod.get("status", {})
    ended = ((status.get("containerStatuses") or [{}])[0].get("state") or {}).get("terminated")
    if status.get("reason") == "DeadlineExceeded":
        return "its time was over"
    if ended:
        return "it needed more memory than it may have" if ended.get("reason") == "OOMKilled" else "the pod ended"
    return str(status.get("reason") or "the pod ended") if status.get("phase") in {"Failed", "Succeeded"} else ""


def same(live: Object, wanted: Object) -> bool:
    """Whether a pod is what would be made now: image and environment."""
    ours, theirs = (pod["spec"]["containers"][0] for pod in (wanted, live))
    return all(ours.get(field) == theirs.get(field) for field in ("image", "env", "envFrom", "workingDir"))


async def made(wanted: Object, app: App, cluster: Cluster, say: Callable[[str], None]) -> None:
    """Make it, once the one before of that name is gone, and wait until it runs.

    Raises:
        CommandFailed: it can't; with the cause.
    """
    pod = wanted["metadata"]["name"]
    async with Mirror(cluster, app.namespace, ("Pod",), selector(app, RUN, pod)) as mirror:
        while (there := mirror.get("Pod", pod)) is not None:
            seen = mirror.version
            if "deletionTimestamp" not in there["metadata"]:
                await cluster.delete("Pod", app.namespace, pod, uid=there["metadata"]["uid"])
            say("the one before ends")
            await mirror.changed(since=seen)
        try:
            mirror.saw(await cluster.create(wanted))
        except Gone as error:
            raise CommandFailed(f"{pod} was made by another nuages dev at the same moment") from error
        await _running(pod, cluster, mirror, say)


async def _running(pod: str, cluster: Cluster, mirror: Mirror, say: Callable[[str], None]) -> None:
    while True:
        seen = mirror.version
        live = mirror.get("Pod", pod)
        if live is None or over(live):
            raise CommandFailed(f"{pod} ended before it ran" + (f": {over(live)}" if live else ""))
        if runs(live):
            return
        verdict = judge(live, mirror, utc())
        if isinstance(verdict, Failed):
            raise await failure(cluster, mirror, live, f"{pod} cannot start: {verdict.reason}")
        say("starts")
        await mirror.changed(1.0, since=seen)


@contextlib.asynccontextmanager
async def tunnel(pod: str, port: int, app: App, cluster: Cluster) -> AsyncIterator[Tunnel]:
    """A connection to a port of it, waited for while it is out of reach or another one takes its place.

    Raises:
        ClusterError: it is not to be had.
    """
    async with contextlib.AsyncExitStack() as stack:
        for left in reversed(range(_ATTEMPTS)):
            try:
                dug = await stack.enter_async_context(cluster.tunnel(app.namespace, pod, port))
                break
            except ClusterError:
                if not left:
                    raise
                await asyncio.sleep(_PAUSE)
        yield dug


async def removed(pod: str, app: App, cluster: Cluster) -> None:
    """Remove it; one that is gone is gone."""
    with contextlib.suppress(ClusterError):
        async with asyncio.timeout(10):
            await cluster.delete("Pod", app.namespace, pod)
