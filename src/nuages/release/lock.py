"""One release at a time: a Lease with an epoch, so that a laptop that wakes up can't go on where another took over.

The Lease is Kubernetes' own (coordination.k8s.io/v1); `leaseTransitions` counts the holders and is the epoch. The clock
of the holder is never compared with ours: a Lease is dead when *we* saw no renewal for its whole duration, as
client-go's leader election judges it.
"""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from nuages.app.objects import Object
from nuages.errors import Gone, Locked, NuagesError, Superseded
from nuages.kube.client import Cluster
from nuages.kube.failures import AlreadyExists

DURATION = 15
"""Seconds without a renewal after which a holder counts as dead (client-go's default)."""

RENEW = 5.0
"""Seconds between renewals: two may be lost."""


def name(app: str) -> str:
    """The Lease's name: `blog-release`."""
    return f"{app}-release"


def me() -> str:
    """Who holds the lock: user@host, and the process with its start time: a recycled pid is not taken for it.

    Two machines may have one host name (`debian`, `localhost`, a CI's containers): so which machine is said too.
    """
    return f"{user()}/{os.getpid()}-{_started(os.getpid())}-{machine()}"


def user() -> str:
    """user@host, as records and messages name a person."""
    return f"{getpass.getuser()}@{socket.gethostname()}"


def machine() -> str:
    """Where a pid means something: this boot of this kernel, in this pid namespace; empty where there is no /proc."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()
        return f"{boot[:8]}.{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return ""


def is_gone(holder: str) -> bool:
    """Whether a holder is a process of this machine and user that has ended; of others we can't know."""
    who, _, process = holder.rpartition("/")
    pid, _, rest = process.partition("-")
    started, _, where = rest.partition("-")
    return (who, where) == (user(), machine()) and pid.isdigit() and _started(int(pid)) != started


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
            holder = (live or {}).get("spec", {}).get("holderIdentity", "").rpartition("/")[0]
            raise Superseded(
                f"the lock of {metadata['name']} was taken over by {holder or 'nobody'}; nothing was written",
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
async def held(
    cluster: Cluster, namespace: str, name: str, *, waiting: Callable[[str], None], patience: float = DURATION * 2
) -> AsyncIterator[Lock]:
    """Hold the lock `name` for the body, renewing it; the body is cancelled when it is lost.

    A holder that is dead is waited out, up to `patience` seconds, and `waiting` is told whom we wait for.

    Raises:
        Locked: somebody alive holds it.
        Superseded: it was taken over while the body ran.
    """
    lock = await _acquire(cluster, namespace, name, waiting=waiting, patience=patience)
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


async def _acquire(
    cluster: Cluster, namespace: str, name: str, *, waiting: Callable[[str], None], patience: float
) -> Lock:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    seen: tuple[object, float] = (None, begun)
    while True:
        lease = await cluster.get("Lease", namespace, name)
        if lease is None or not (holder := lease["spec"].get("holderIdentity")) or is_gone(holder):
            if taken := await _take(cluster, namespace, name, lease):
                return Lock(cluster, taken)
            continue
        stamp = (holder, lease["spec"].get("renewTime"))
        if stamp != seen[0]:
            if seen[0] is not None and loop.time() - begun > patience:
                break
            if seen[0] is not None and stamp[1] != seen[0][1]:  # type: ignore[index]
                break  # it was renewed under our eyes: alive
            seen = (stamp, loop.time())
        elif loop.time() - seen[1] > int(lease["spec"].get("leaseDurationSeconds", DURATION)):
            if taken := await _take(cluster, namespace, name, lease):
                return Lock(cluster, taken)
            continue
        waiting(f"{holder.rpartition('/')[0]} holds the lock; waiting to see whether it is alive")
        await asyncio.sleep(0.5)
    since = lease["spec"].get("acquireTime", "")
    raise Locked(
        f"{holder.rpartition('/')[0]} is releasing this environment, since {since}",
        hint="wait for it to end: nuages status",
    )


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


def _started(pid: int) -> str:
    """When a process started, in clock ticks since boot (proc(5), field 22); empty where it is not there."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""
