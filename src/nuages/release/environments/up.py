"""An environment from its template, from nothing to live: the namespace, its time, its data, its release."""

from __future__ import annotations

import msgspec

from nuages.app import commands
from nuages.app.build import Build
from nuages.app.components import App
from nuages.app.objects import Object
from nuages.errors import CommandFailed
from nuages.kube.client import Cluster
from nuages.kube.watch import Mirror
from nuages.progress import Sink, step
from nuages.release import ownership, records, run
from nuages.release.begin import entered
from nuages.release.deploy import deploy
from nuages.release.driver.detach import api_ports
from nuages.release.environments import cloning, marks
from nuages.release.environments.cloning import Origin
from nuages.release.locks.lock import Wish
from nuages.release.record import Record
from nuages.release.world import utc
from nuages.render.keeper import keeper
from nuages.render.labels import RUN, selector

SEED_SECONDS = 3600


async def check(app: App, origin: Origin | None, cluster: Cluster) -> None:
    """Say no before anything is built: whose namespace it is, and whether its data can be had.

    Raises:
        Refused: it is something else's, or the data can't be copied.
    """
    found = await marks.of(app, cluster)
    if origin and not (found and found.cloned):
        await cloning.possible(origin.source, tuple(cloning.source_of(app).manage or ()), cluster)


async def up(app: App, build: Build, origin: Origin | None, cluster: Cluster, sink: Sink, *, wish: Wish) -> Record:
    """Bring an environment up, or on: taken again where it was taken already, so it may be stopped anywhere.

    Raises:
        Refused, Locked, ReleaseFailed: as a deploy.
        CommandFailed: its data could not be brought.
    """
    await check(app, origin, cluster)
    await _made(app, build, cluster)
    if origin:
        async with entered(app, cluster, sink, wish) as (_, history):
            if not records.live(history):
                await _cloned(app, build, origin, cluster, sink)
    record = await deploy(app, build, cluster, sink, wish=wish)
    if app.seed and not record.paused:
        await _seeded(app, cluster, sink)
    return record


async def _made(app: App, build: Build, cluster: Cluster) -> None:
    """The namespace, and what ends it when its time is over; before anything that could fail and be left."""
    await ownership.namespace(app, cluster)
    await marks.there(app, cluster)
    ends = marks.until(app, utc())
    await marks.mark(app, cluster, expires=marks.written(ends) if ends else None)
    if ends:
        for item in keeper(app, build, await api_ports(cluster), ends):
            await cluster.apply(item)


async def _cloned(app: App, build: Build, origin: Origin, cluster: Cluster, sink: Sink) -> None:
    if (await marks.there(app, cluster)).cloned:
        return
    with step(sink, "clone", expected=20) as shown:
        await cloning.stores(app, build, cluster, shown.say)
        await cloning.clone(origin, app, cluster, shown.say)
        await marks.mark(app, cluster, cloned=origin.source.environment)
        shown.note = f"the data of {origin.source.environment}"


async def _seeded(app: App, cluster: Cluster, sink: Sink) -> None:
    """Run the job that fills the database, once.

    Raises:
        CommandFailed: it ended badly; the next time it is tried again.
    """
    if (await marks.there(app, cluster)).seeded:
        return
    declared = app.jobs[app.seed]
    command = tuple(commands.in_full(declared))
    memory = declared.resources.memory
    wanted = msgspec.structs.replace(run.of(app, command, ttl=SEED_SECONDS, memory=memory), stdin=False)
    with step(sink, "seed") as shown:
        await run.start(app, wanted, cluster, kind=run.in_project, sink=lambda _: None)
        async with Mirror(cluster, app.namespace, ("Pod",), selector(app, RUN, wanted.name)) as mirror:
            while (pod := mirror.get("Pod", wanted.name)) and not (ended := _ended(pod)):
                seen = mirror.version
                shown.say(" ".join(command))
                await mirror.changed(since=seen)
        if pod is None or ended["exitCode"]:
            log = await cluster.logs(app.namespace, wanted.name, tail=5) if pod else ""
            raise CommandFailed(f"the job {app.seed} failed", detail=log, hint="nuages env up tries it again")
        await cluster.delete("Pod", app.namespace, wanted.name)
        await marks.mark(app, cluster, seeded=app.seed)
        shown.note = app.seed


def _ended(pod: Object) -> Object:
    statuses = pod.get("status", {}).get("containerStatuses") or [{}]
    ended: Object = (statuses[0].get("state") or {}).get("terminated") or {}
    return ended
