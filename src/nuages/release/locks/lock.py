"""One release at a time: a Lease with an epoch, so that a laptop that wakes up can't go on where another took over.

The Lease is Kubernetes' own (coordination.k8s.io/v1); `leaseTransitions` counts the holders and is the epoch. The clock
of the holder is never compared with ours: a Lease is dead when *we* saw no renewal for its whole duration, as
client-go's leader election judges it. Who waits stands in a queue (`queue`), and a person may hold it too (`by_hand`).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NamedTuple

from nuages.app.objects import Object
from nuages.errors import Gone, Locked, NuagesError, Superseded, Unreachable
from nuages.kube.client import Cluster
from nuages.kube.failures import AlreadyExists
from nuages.release.locks import queue
from nuages.release.locks.holder import me, person
from nuages.release.locks.lease import DURATION, RENEW, Claim, Life, Sight, claim, duties, holding, now

FOR_EVER = float("inf")

LOOK_AGAIN = 0.5
"""Seconds between two looks at a lock that somebody else holds."""


GIVEN_BACK = 3
"""Attempts to give the lock back; nobody waits for a process that has ended longer than it must."""


class Wish(NamedTuple):
    """What is wanted of the lock, and what it shall say of us while we hold it."""

    command: str = ""
    """The command line, as others see it."""
    message: str = ""
    wait: float = 0
    """Seconds that are spent in the queue behind somebody who is alive; 0: none, FOR_EVER: all it takes."""
    holder: str = ""
    """Who holds it; empty: this process."""
    duration: int = DURATION
    """Seconds without a renewal after which others may take it over."""
    heir: str = ""
    """As whom it may be kept for us (`hand_to`): then it is ours at once, before all who wait."""


ANY = Wish()


def name(app: str) -> str:
    """The Lease's name: `blog-release`."""
    return f"{app}-release"


class Lock:
    """The lock while we hold it."""

    def __init__(self, cluster: Cluster, lease: Object) -> None:
        """Take over what `_acquired` got."""
        self._cluster = cluster
        self._lease = lease
        self._handed = False

    @property
    def epoch(self) -> int:
        """How many holders there have been; a writer with a lower one is late."""
        return int(self._lease["spec"]["leaseTransitions"])

    async def check(self) -> None:
        """Make sure that we still hold it; to be called before each write.

        Raises:
            Superseded: another writer took it over.
        """
        metadata = self._lease["metadata"]
        live = await self._cluster.get("Lease", metadata["namespace"], metadata["name"])
        if live is None or not self._ours(live):
            holder = (live or {}).get("spec", {}).get("holderIdentity", "")
            raise Superseded(
                f"the lock {metadata['name']} was taken over by {person(holder)}; nothing was written",
                hint="see nuages status, then run the command again",
            )

    async def renew(self) -> None:
        """Say that we are alive.

        Raises:
            Superseded: another writer took it over.
        """
        self._lease["spec"]["renewTime"] = now()
        try:
            self._lease = await self._cluster.replace(self._lease)
        except Gone as error:
            # It may be our own renewal, whose answer was lost, or somebody's annotation.
            metadata = self._lease["metadata"]
            live = await self._cluster.get("Lease", metadata["namespace"], metadata["name"])
            if live is None or not self._ours(live):
                raise Superseded("the lock was taken over while it was held", hint="see nuages status") from error
            self._lease = live

    def _ours(self, live: Object) -> bool:
        """Whether a Lease is the one we took: epochs begin anew where it was deleted, so they alone don't tell."""
        return holding(live) == holding(self._lease)

    async def hand_to(self, heir: str, *, seconds: int) -> None:
        """Keep it for a process that is still to come, which takes it by this name; after so long it is free.

        Raises:
            Superseded: another writer took it over.
        """
        await self.check()
        epoch = {"leaseTransitions": self.epoch + 1}
        try:
            self._lease = await self._cluster.replace({**self._lease, "spec": duties(heir, seconds) | epoch})
        except Gone:
            await self.renew()  # somebody's annotation; or it was taken over
            self._lease = await self._cluster.replace({**self._lease, "spec": duties(heir, seconds) | epoch})
        self._handed = True

    async def release(self) -> None:
        """Give it back; one that was taken over, or handed on, is left alone."""
        if self._handed:
            return
        for _ in range(GIVEN_BACK):
            with contextlib.suppress(Unreachable):
                try:
                    await self._cluster.replace(freed(self._lease))
                except Gone:
                    # A renewal that was stopped on its way may have arrived, or somebody annotated it.
                    metadata = self._lease["metadata"]
                    live = await self._cluster.get("Lease", metadata["namespace"], metadata["name"])
                    if live is None or not self._ours(live):
                        return
                    self._lease = live
                except NuagesError:
                    return
                else:
                    return


@contextlib.asynccontextmanager
async def held(
    cluster: Cluster, namespace: str, name: str, wish: Wish = ANY, *, waiting: Callable[[str], None]
) -> AsyncIterator[Lock]:
    """Hold the lock `name` for the body, renewing it; the body is cancelled when it is lost.

    A holder that may be dead is waited out, and `waiting` is told who it is and who else is before us.

    Raises:
        Locked: somebody alive holds it, or did for as long as we were to wait.
        Superseded: it was taken over while the body ran.
    """
    lock = Lock(cluster, await acquired(cluster, namespace, name, wish, waiting=waiting))
    body = asyncio.current_task()
    assert body is not None  # noqa: S101 - a coroutine always runs in a task
    keeper = asyncio.create_task(_keep(lock.renew, body))
    try:
        yield lock
    except asyncio.CancelledError:
        if keeper.done() and not keeper.cancelled() and (error := keeper.exception()):
            body.uncancel()
            raise error from None
        raise
    finally:
        keeper.cancel()
        with contextlib.suppress(asyncio.CancelledError, NuagesError):
            await keeper
        await asyncio.shield(lock.release())


async def _keep(renew: Callable[[], Awaitable[None]], body: asyncio.Task[object]) -> None:
    failures = 0
    while True:
        await asyncio.sleep(RENEW)
        try:
            await renew()
            failures = 0
        except Superseded:
            body.cancel()
            raise
        except NuagesError:
            # An API server that restarts, or a token that is late, is no reason to stop; the epoch is checked before
            # each write anyway.
            failures += 1
            if failures * RENEW > DURATION * 4:
                body.cancel()
                raise


async def acquired(
    cluster: Cluster, namespace: str, name: str, wish: Wish, *, waiting: Callable[[str], None]
) -> Object:
    """The Lease, taken: at once where it is free and nobody waits for it, else when our turn has come.

    Raises:
        Locked: somebody alive holds it.
    """
    loop = asyncio.get_running_loop()
    until, sight = loop.time() + wish.wait, Sight()
    async with queue.Place(cluster, namespace, name, wish.command) as place:
        while True:
            lease = await cluster.get("Lease", namespace, name)
            kept = bool(lease and wish.heir and lease["spec"].get("holderIdentity") == wish.heir)
            life = Life.NONE if kept else sight.judge(lease)
            before = [] if kept else await place.before(sight)
            if life is Life.NONE and not before:
                if taken := await _take(cluster, (namespace, name), lease, wish):
                    return taken
                continue
            says = claim(lease) if lease else None
            if life is Life.ALIVE and says and loop.time() >= until:
                raise _locked(says, waited=wish.wait > 0)
            if before and loop.time() >= until + DURATION:
                raise _locked(claim(before[0]), waited=wish.wait > 0)
            if wish.wait:
                await place.take()
            waiting(_wait(says if life is not Life.NONE else None, life, [claim(one) for one in before]))
            await asyncio.sleep(LOOK_AGAIN)


async def _take(cluster: Cluster, key: tuple[str, str], lease: Object | None, wish: Wish) -> Object | None:
    """Write ourselves in with the next epoch; None where somebody else was quicker."""
    epoch = (lease["spec"].get("leaseTransitions", 0) if lease else 0) + 1
    spec = duties(wish.holder or me(), wish.duration) | {"leaseTransitions": epoch}
    says = {"nuages.dev/command": wish.command or None, "nuages.dev/message": wish.message or None}
    kept = ((lease or {}).get("metadata", {}).get("annotations") or {}) | says
    annotations = {key: value for key, value in kept.items() if value is not None}
    try:
        if lease is None:
            labels = {"app.kubernetes.io/managed-by": "nuages"}
            metadata = {"name": key[1], "namespace": key[0], "labels": labels, "annotations": annotations}
            first = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}
            return await cluster.create(first)
        return await cluster.replace(
            {**lease, "metadata": {**lease["metadata"], "annotations": annotations}, "spec": spec}
        )
    except (Gone, Unreachable) as error:
        live = await cluster.get("Lease", key[0], key[1])
        if live and all(live["spec"].get(name) == spec[name] for name in ("holderIdentity", "acquireTime")):
            return live  # it was done, and the answer lost or the request sent twice on the way
        if isinstance(error, Unreachable) or (lease is None and not isinstance(error, AlreadyExists)):
            raise  # nobody answers, or there is no such namespace
        return None


def freed(lease: Object) -> Object:
    """A Lease that nobody holds; its epoch stays, so that the next one is higher."""
    said = lease["metadata"].get("annotations") or {}
    kept = {key: value for key, value in said.items() if key not in {"nuages.dev/command", "nuages.dev/message"}}
    metadata = {**lease["metadata"], "annotations": kept}
    return {**lease, "metadata": metadata, "spec": {**lease["spec"], "holderIdentity": ""}}


def _locked(says: Claim, *, waited: bool) -> Locked:
    if says.by_hand:
        return Locked(
            f"{says.who} locked this environment, since {says.since}" + (f": {says.message}" if says.message else ""),
            hint="nuages unlock opens it; ask first",
        )
    return Locked(
        f"{says.who} is at work on this environment, since {says.since}{says.what}",
        hint="nuages status shows how far it is" + ("" if waited else "; --wait queues behind it"),
    )


def _wait(says: Claim | None, life: Life, before: list[Claim]) -> str:
    """Why we wait, in a line."""
    first = ""
    if says:
        unsure = "; waiting to see whether it is alive" if life is Life.UNSURE else ""
        first = f"{says.who} holds the lock{says.what}{unsure}"
    ahead = f"before you: {', '.join(one.who for one in before)}" if before else ""
    return "; ".join(filter(None, [first, ahead]))
