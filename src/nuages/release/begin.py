"""What comes before the first phase of any release: whose the place is, the lock, a view, and the record."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Protocol

import msgspec

from nuages.app.components import App
from nuages.kube.client import Cluster
from nuages.kube.watch import Mirror
from nuages.progress import Sink, Told, step
from nuages.release import ownership, records
from nuages.release.locks import lock
from nuages.release.locks.lock import ANY, Wish
from nuages.release.record import Outcome, Stored
from nuages.release.world import World
from nuages.render.labels import belonging
from nuages.rollout.watcher import KINDS


class Whose(Protocol):
    """Whose releases are meant; an App is more than is needed for that."""

    @property
    def name(self) -> str:
        """The app's name."""

    @property
    def environment(self) -> str:
        """Its environment."""

    @property
    def namespace(self) -> str:
        """Where it lives."""


@contextlib.asynccontextmanager
async def entered(
    app: App, cluster: Cluster, sink: Sink, wish: Wish = ANY
) -> AsyncIterator[tuple[World, list[Stored]]]:
    """Hold the environment for the body: the namespace is there, the lock is ours, the view is fresh.

    Yields the world and the history of releases, the newest first.
    """
    await ownership.namespace(app, cluster)
    async with held(app, cluster, sink, wish) as found:
        yield found


@contextlib.asynccontextmanager
async def held(whose: Whose, cluster: Cluster, sink: Sink, wish: Wish) -> AsyncIterator[tuple[World, list[Stored]]]:
    """As `entered`, of an environment whose namespace is there."""
    async with contextlib.AsyncExitStack() as stack:
        with step(sink, "lock") as shown:
            holding = lock.held(cluster, whose.namespace, lock.name(whose.name), wish, waiting=shown.say)
            held = await stack.enter_async_context(holding)
        ours = belonging(whose.name, f"{whose.name}-{whose.environment}")
        mirror = await stack.enter_async_context(Mirror(cluster, whose.namespace, KINDS, ours))
        history = await records.history(cluster, whose.namespace, whose.name, whose.environment)
        serving = live.record.number if (live := records.live(history)) else None
        yield World(cluster=cluster, mirror=mirror, lock=held, serving=serving, sink=sink), history


async def begin(wanted: Stored, history: list[Stored], world: World) -> Stored:
    """Write the record of a new release; one that is written already goes on.

    An open one of something else is closed: whatever it left is overtaken by this one.
    """
    if not (begun := wanted).resource_version:
        if history and history[0].open:
            await records.save(history[0], history[0].record.closed(Outcome.ABANDONED, world.now()), world)
        begun = await records.create(wanted, world.cluster, world.lock)
    record = begun.record
    said = {
        "release": record.number,
        "resumed": begun is wanted,
        "restores": record.restores,
        "image": record.build.reference,
        **{name: getattr(record, name) for name in ("app", "environment", "namespace", "by", "command", "message")},
    }
    world.sink(Told("begun", said))
    return begun


def asked(wanted: Stored, wish: Wish) -> Stored:
    """A release that is not written yet, with what is said of it; one that goes on keeps what was said then."""
    if wanted.resource_version:
        return wanted
    record = msgspec.structs.replace(wanted.record, command=wish.command, message=wish.message)
    return msgspec.structs.replace(wanted, record=record)


def number_after(history: list[Stored]) -> int:
    """The next release's number."""
    return history[0].record.number + 1 if history else 1
