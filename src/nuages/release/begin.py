"""What comes before the first phase of any release: whose the place is, the lock, a view, and the record."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from nuages.app.components import App
from nuages.kube.client import Cluster
from nuages.kube.watch import Mirror
from nuages.progress import Sink, step
from nuages.release import lock, ownership, records
from nuages.release.record import Outcome, Stored
from nuages.release.world import World
from nuages.render.labels import instance
from nuages.rollout.watcher import KINDS


@contextlib.asynccontextmanager
async def entered(app: App, cluster: Cluster, sink: Sink) -> AsyncIterator[tuple[World, list[Stored]]]:
    """Hold the environment for the body: the namespace is there, the lock is ours, the view is fresh.

    Yields the world and the history of releases, the newest first.
    """
    await ownership.namespace(app, cluster)
    async with contextlib.AsyncExitStack() as stack:
        with step(sink, "lock") as shown:
            holding = lock.held(cluster, app.namespace, lock.name(app.name), waiting=shown.say)
            held = await stack.enter_async_context(holding)
        mirror = await stack.enter_async_context(Mirror(cluster, app.namespace, KINDS, instance(app)))
        history = await records.history(cluster, app.namespace, app.name, app.environment)
        serving = live.record.number if (live := records.live(history)) else None
        yield World(cluster=cluster, mirror=mirror, lock=held, serving=serving, sink=sink), history


async def begin(wanted: Stored, history: list[Stored], world: World) -> Stored:
    """Write the record of a new release; one that is written already goes on.

    An open one of something else is closed as abandoned: whatever it left is overtaken by this one.
    """
    if wanted.resource_version:
        return wanted
    if history and history[0].open:
        await records.save(history[0], history[0].record.closed(Outcome.ABANDONED, world.now()), world)
    return await records.create(wanted, world.cluster, world.lock)


def number_after(history: list[Stored]) -> int:
    """The next release's number."""
    return history[0].record.number + 1 if history else 1
