"""One release at a time: a Lease with an epoch, so that a laptop that wakes up can't go on where another took over.

The Lease is Kubernetes' own (coordination.k8s.io/v1); `leaseTransitions` counts the holders and is the epoch. The clock
of the holder is never compared with ours: a Lease is dead when *we* saw no renewal for its whole duration, as
client-go's leader election judges it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime

from nuages.app.objects import Object
from nuages.errors import Gone, Locked, NuagesError, Superseded
from nuages.kube.client import Cluster
from nuages.kube.failures import AlreadyExists
from nuages.release.holder import is_gone, me, person

DURATION = 15
"""Seconds without a renewal after which a holder counts as dead (client-go's default)."""

RENEW = 5.0
"""Seconds between renewals: two may be lost."""


def name(app: str) -> str:
    """The Lease's name: `blog-release`."""
    return f"{app}-release"


class Lock:
    """The lock while we hold it."""

    def __init__(self, cluster: Cluster, lease: Object) -> None:
        """Take over what `acquire` got."""
        self._cluster = cluster
        self._lease = lease

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
                f"the lock of {metadata['name']} was taken over by {person(holder)}; nothing was written",
                hint="see nuages status, then run the command again",
            )

    async def renew(self) -> None:
        """Say that we are alive.

        Raises:
            Superseded: another writer took it over.
        """
        self._lease["spec"]["renewTime"] = _now()
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
        return _holding(live) == _holding(self._lease)

    async def release(self) -> None:
        """Give it back; one that was taken over is left alone."""
        self._lease["spec"]["holderIdentity"] = ""
        with contextlib.suppress(NuagesError):
            await self._cluster.replace(self._lease)


@contextlib.asynccontextmanager
async def held(cluster: Cluster, namespace: str, name: str, *, waiting: Callable[[str], None]) -> AsyncIterator[Lock]:
    """Hold the lock `name` for the body, renewing it; the body is cancelled when it is lost.

    A holder that may be dead is waited out, and `waiting` is told who it is.

    Raises:
        Locked: somebody alive holds it.
        Superseded: it was taken over while the body ran.
    """
    lock = await _acquire(cluster, namespace, name, waiting=waiting)
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


async def _acquire(cluster: Cluster, namespace: str, name: str, *, waiting: Callable[[str], None]) -> Lock:
    """Take the Lease: at once where it is free, else when its holder let its whole duration pass without a renewal."""
    loop = asyncio.get_running_loop()
    last: tuple[object, ...] = ()
    seen = loop.time()
    while True:
        lease = await cluster.get("Lease", namespace, name)
        holder = lease["spec"].get("holderIdentity", "") if lease else ""
        dead = lease is not None and loop.time() - seen > int(lease["spec"].get("leaseDurationSeconds", DURATION))
        renewal = (*_holding(lease), lease["spec"].get("renewTime")) if lease else ()
        if not holder or is_gone(holder) or (dead and renewal == last):
            if taken := await _take(cluster, namespace, name, lease):
                return Lock(cluster, taken)
        elif lease and last and renewal != last:
            raise Locked(
                f"{person(holder)} is at work on this environment, since {lease['spec'].get('acquireTime', '')[:19]}Z",
                hint="wait for it to end: nuages status",
            )
        else:
            last = renewal
            waiting(f"{person(holder)} holds the lock; waiting to see whether it is alive")
            await asyncio.sleep(0.5)


async def _take(cluster: Cluster, namespace: str, name: str, lease: Object | None) -> Object | None:
    """Write ourselves in with the next epoch; None where somebody else was quicker."""
    spec = {
        "holderIdentity": me(),
        "leaseDurationSeconds": DURATION,
        "acquireTime": _now(),
        "renewTime": _now(),
        "leaseTransitions": (lease["spec"].get("leaseTransitions", 0) if lease else 0) + 1,
    }
    labels = {"app.kubernetes.io/managed-by": "nuages"}
    metadata = {"name": name, "namespace": namespace, "labels": labels}
    try:
        if lease is None:
            first = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}
            return await cluster.create(first)
        return await cluster.replace({**lease, "spec": spec})
    except Gone as error:
        if lease is None and not isinstance(error, AlreadyExists):
            raise  # there is no such namespace
        return None


def _holding(lease: Object) -> tuple[object, ...]:
    """Which Lease, which epoch, who."""
    return lease["metadata"]["uid"], lease["spec"].get("leaseTransitions"), lease["spec"].get("holderIdentity")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
