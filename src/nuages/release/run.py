"""A command in a pod of its own, from its start to its exit code; nothing is left of it, but who ran it and when.

The pod ends by itself when its time is over, whoever is still there to see it: a laptop that is closed strands nothing.
Whoever runs something later removes the pods that ended and were left.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import string
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import NamedTuple

import msgspec

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.errors import ClusterError, CommandFailed, NuagesError, Refused, Unreachable, UsageError
from nuages.kube.channels import OUTPUT
from nuages.kube.client import Cluster
from nuages.kube.watch import Mirror
from nuages.progress import Sink, step
from nuages.release import audit, records
from nuages.release.audit import Ran
from nuages.release.leaving import Detached
from nuages.release.locks.holder import user
from nuages.release.record import Stored
from nuages.release.session import Ending, Here, converse
from nuages.release.world import utc
from nuages.render.labels import COMPONENT, RUN, selector
from nuages.render.run import CONTAINER, GO, READY, Run, project, psql, token_of
from nuages.rollout.diagnosis import failure
from nuages.rollout.kinds import Failed
from nuages.rollout.pods import moment
from nuages.rollout.watcher import judge

ATTENDED, ALONE = timedelta(minutes=5), timedelta(days=1)
"""How long a pod that ended waits for who ran it: somebody who was attached, or who may come back to see how."""

SETTLES = 30.0
"""Seconds until the cluster says how a program ended whose streams are closed."""

Kind = Callable[[App, Stored, Run], Object]


class Ended(NamedTuple):
    """How a command ended: its exit code, and what there is to say where it was not by itself."""

    code: int
    note: str = ""


def in_project(app: App, serving: Stored, wanted: Run) -> Object:
    """The command in the live release's image."""
    for made in serving.manifest.web:
        if made["kind"] == "Deployment":
            return project(app, made["spec"]["template"], wanted)
    raise Refused(f"release {serving.record.number} has no web, whose environment a command could have")


def in_database(app: App, serving: Stored, wanted: Run) -> Object:
    """`psql` from PostgreSQL's own image; where the app runs none, Django's dbshell with what its image has."""
    made = psql(app, msgspec.structs.replace(wanted, command=("psql", *wanted.command)))
    dbshell = ("python", "manage.py", "dbshell", *(("--", *wanted.command) if wanted.command else ()))
    return made or in_project(app, serving, msgspec.structs.replace(wanted, command=dbshell))


def of(app: App, command: tuple[str, ...], *, ttl: int, memory: str | None = None, typed: tuple[str, ...] = ()) -> Run:
    """A command of ours, in a pod that has a name of its own: `blog-run-x7k2p`."""
    letters = "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(5))
    return Run(
        name=f"{app.name}-run-{letters}",
        command=command,
        typed=typed,
        by=user(),
        ttl=ttl,
        memory=memory,
        token=secrets.token_hex(8),
    )


async def run(app: App, wanted: Run, cluster: Cluster, here: Here, *, kind: Kind, sink: Sink) -> Ended:
    """Run a command to its end, attached to it.

    Raises:
        Refused: no release serves.
        CommandFailed: its pod could not start, or was removed.
        Detached: the person left; it goes on.
        Unreachable: the connection was lost; it goes on.
    """
    async with _removed(app, wanted.name, cluster):
        await start(app, wanted, cluster, kind=kind, sink=sink)
    async with _removed(app, wanted.name, cluster, unless=(Unreachable, Detached)):
        async with _watched(app, wanted.name, cluster) as mirror:
            code = await _attached(app, wanted.name, wanted.token, cluster, here, tty=wanted.tty)
            ended = await _ended(app, wanted.name, cluster, mirror, code)
        await cluster.delete("Pod", app.namespace, wanted.name)
    return ended


async def start(app: App, wanted: Run, cluster: Cluster, *, kind: Kind, sink: Sink) -> None:
    """Start a command in its pod, and write down who does.

    Raises:
        Refused: no release serves.
        CommandFailed: its pod cannot start.
    """
    serving = records.live(await records.history(cluster, app.namespace, app.name, app.environment))
    if serving is None:
        raise Refused(f"no release of {app.name} is live in {app.namespace}", hint="nuages deploy")
    pod = kind(app, serving, wanted)
    with step(sink, f"start {wanted.name}") as shown:
        await sweep(app, cluster)
        number = serving.record.number
        typed = wanted.typed or wanted.command
        told = Ran(pod=wanted.name, by=wanted.by, command=typed, release=number, started=utc())
        await audit.write(app, told, cluster)
        await cluster.create(pod)
        async with _watched(app, wanted.name, cluster) as mirror:
            await _running(wanted.name, cluster, mirror, shown.say)
        shown.note = f"release {number}"


async def attach(app: App, pod: str, cluster: Cluster, here: Here) -> Ended:
    """Come back to a command: to its terminal, or to all that it has written so far; once it has ended, for the end.

    Raises:
        UsageError: there is none of that name.
        Detached, Unreachable: as `run`.
    """
    live = await cluster.get("Pod", app.namespace, pod)
    if live is None or live["metadata"].get("labels", {}).get(COMPONENT) != RUN:
        known = [item["metadata"]["name"] for item in await _all(app, cluster)]
        there = f"there are: {', '.join(known)}" if known else "none runs; nuages run --history tells which did"
        raise UsageError(f"no command runs as {pod} in {app.namespace}", hint=there)
    tty = bool(live["spec"]["containers"][0].get("tty"))
    if tty and not here.tty:
        raise UsageError(f"{pod} has a terminal, and here is none", hint="attach to it from a terminal")
    async with _watched(app, pod, cluster) as mirror:
        if tty and _state(live).get("running"):
            code = await _attached(app, pod, token_of(live), cluster, here, tty=True)
        else:
            await _running(pod, cluster, mirror, lambda _: None)
            code = await _read(app, pod, token_of(live), cluster, here)
        ended = await _ended(app, pod, cluster, mirror, code)
    await cluster.delete("Pod", app.namespace, pod)
    return ended


async def sweep(app: App, cluster: Cluster) -> None:
    """Remove pods that ended and were left, and write down how they did."""
    for pod in await _all(app, cluster):
        ended = _state(pod).get("terminated")
        attended = pod["spec"]["containers"][0].get("stdin")
        if ended and utc() - moment(ended["finishedAt"]) > (ATTENDED if attended else ALONE):
            about = pod["metadata"]
            found = _how(pod)
            await audit.end(
                app, about["name"], cluster, at=moment(ended["finishedAt"]), exit_code=found.code, note=found.note
            )
            await cluster.delete("Pod", app.namespace, about["name"], uid=about["uid"])


async def _all(app: App, cluster: Cluster) -> list[Object]:
    return (await cluster.list("Pod", app.namespace, labels=selector(app, RUN))).items


def _watched(app: App, pod: str, cluster: Cluster) -> Mirror:
    return Mirror(cluster, app.namespace, ("Pod",), selector(app, RUN, pod))


@contextlib.asynccontextmanager
async def _removed(
    app: App, pod: str, cluster: Cluster, *, unless: tuple[type[Exception], ...] = ()
) -> AsyncIterator[None]:
    """Remove the pod where the body fails or is interrupted; not where whoever ran it left, or lost it: it goes on."""
    try:
        yield
    except unless:
        raise
    except BaseException as error:
        note = "did not run" if isinstance(error, NuagesError) else "interrupted"
        await asyncio.shield(_remove(app, pod, cluster, note))
        raise


async def _remove(app: App, pod: str, cluster: Cluster, note: str) -> None:
    with contextlib.suppress(ClusterError):
        await cluster.delete("Pod", app.namespace, pod)
        await audit.end(app, pod, cluster, at=utc(), exit_code=None, note=note)


async def _attached(app: App, pod: str, token: str, cluster: Cluster, here: Here, *, tty: bool) -> int | None:
    """Be attached until the command ends; answers its exit code, None where that is not told here."""
    try:
        async with cluster.attached(app.namespace, pod, CONTAINER, stdin=True, tty=tty) as stream:
            return await converse(stream, here, token)
    except Unreachable as lost:
        raise Unreachable(lost.message, hint=_back(pod)) from lost


async def _read(app: App, pod: str, token: str, cluster: Cluster, here: Here) -> int | None:
    """Show a log from its first line to its end; without what a launcher said in it."""
    code = None
    first = True
    async for line in cluster.followed(app.namespace, pod, CONTAINER):
        data = line.encode()
        if token:
            data = data.lstrip(READY).removeprefix(GO) if first else data
            ending = Ending(token)
            data = ending.passed(data) + ending.rest()
            code, first = ending.code if code is None else code, False
        if data or not token or code is None:
            here.show(OUTPUT, data + b"\n")
    return code


def _back(pod: str) -> str:
    return f"it goes on until its time is over: nuages run --attach {pod}"


async def _running(pod: str, cluster: Cluster, mirror: Mirror, say: Callable[[str], None]) -> None:
    """Wait until its program runs, or has run.

    Raises:
        CommandFailed: it can't; with the cause.
    """
    while True:
        seen = mirror.version
        live = mirror.get("Pod", pod)
        if live is None:
            raise CommandFailed(f"{pod} was removed before it ran")
        state = _state(live)
        if state.get("running") or state.get("terminated"):
            return
        verdict = judge(live, mirror, utc())
        if isinstance(verdict, Failed):
            raise await failure(cluster, mirror, live, f"{pod} cannot start: {verdict.reason}")
        say(state.get("waiting", {}).get("reason", "waits for a node"))
        await mirror.changed(1.0, since=seen)


async def _ended(app: App, pod: str, cluster: Cluster, mirror: Mirror, code: int | None) -> Ended:
    """Wait for how it ended, where its launcher has not said it, and write it down.

    Raises:
        Unreachable: it goes on, though its streams are closed.
        CommandFailed: somebody removed it.
    """
    if code is not None:
        await audit.end(app, pod, cluster, at=utc(), exit_code=code)
        return Ended(code)
    try:
        async with asyncio.timeout(SETTLES):
            while (live := mirror.get("Pod", pod)) and not _state(live).get("terminated"):
                await mirror.changed(since=mirror.version)
    except TimeoutError:
        raise Unreachable(f"the connection to {pod} was closed", hint=_back(pod)) from None
    if live is None:
        await audit.end(app, pod, cluster, at=utc(), exit_code=None, note="removed")
        raise CommandFailed(f"{pod} was removed while it ran", hint="its namespace's events may say by whom")
    ended = _how(live)
    at = moment(_state(live)["terminated"]["finishedAt"])
    await audit.end(app, pod, cluster, at=at, exit_code=ended.code, note=ended.note)
    return ended


def _state(pod: Object) -> Object:
    """The state of its one container; empty before the kubelet has seen it."""
    statuses = pod.get("status", {}).get("containerStatuses") or [{}]
    state: Object = statuses[0].get("state") or {}
    return state


def _how(pod: Object) -> Ended:
    """How it ended, as its status has it; a time that is over gives 124, as timeout(1) does."""
    ended = _state(pod)["terminated"]
    limit = pod["spec"]["containers"][0]["resources"].get("limits", {}).get("memory", "its limit")
    if pod["status"].get("reason") == "DeadlineExceeded":
        return Ended(124, f"ended after {pod['spec']['activeDeadlineSeconds']} s; --ttl gives more time")
    if ended.get("reason") == "OOMKilled":
        return Ended(ended["exitCode"], f"it needed more memory than {limit}; --memory gives more")
    return Ended(ended["exitCode"], pod["status"].get("message", ""))
