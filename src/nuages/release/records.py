"""Reading and writing records in the cluster; every write checks first that the lock is still ours."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from nuages.app.objects import Object
from nuages.errors import Gone, Superseded, Unreachable
from nuages.kube.client import Cluster
from nuages.release.locks.lock import Lock
from nuages.release.record import KEPT, Record, Stored, decode, encode, labels, name
from nuages.release.world import World


async def history(cluster: Cluster, namespace: str, app: str, environment: str) -> list[Stored]:
    """All records of an app in an environment, the newest first.

    Raises:
        Refused: one was written by a newer nuages.
    """
    found = await cluster.list("ConfigMap", namespace, labels=labels(app, environment))
    return sorted((decode(item) for item in found.items), key=lambda stored: -stored.record.number)


async def read(record: Record, cluster: Cluster) -> Stored | None:
    """One record as it is now; None where it is gone."""
    found = await cluster.get("ConfigMap", record.namespace, name(record.app, record.number))
    return decode(found) if found else None


def live(history: list[Stored]) -> Stored | None:
    """The release that serves: the newest that went live."""
    return next((stored for stored in history if stored.record.went_live), None)


async def create(release: Stored, cluster: Cluster, lock: Lock) -> Stored:
    """Write a new record.

    Raises:
        Superseded: somebody else wrote this number first.
    """
    await lock.check()
    wanted = encode(release)
    try:
        written = await _arrived(wanted, cluster.create, cluster)
    except Gone as error:
        raise Superseded(f"release {release.record.number} was begun by somebody else", hint="run it again") from error
    return msgspec.structs.replace(release, resource_version=written["metadata"]["resourceVersion"])


async def save(release: Stored, record: Record, world: World) -> Stored:
    """Write a record's next state over the one we read.

    Raises:
        Superseded: it changed since, or the lock was taken over.
    """
    await world.lock.check()
    changed = msgspec.structs.replace(release, record=record, ahead=False)
    try:
        written = await _arrived(encode(changed), world.cluster.replace, world.cluster)
    except Gone as error:
        raise Superseded(
            f"release {record.number} was changed by somebody else; nothing was written", hint="run it again"
        ) from error
    return msgspec.structs.replace(changed, resource_version=written["metadata"]["resourceVersion"])


async def _arrived(wanted: Object, write: Callable[[Object], Awaitable[Object]], cluster: Cluster) -> Object:
    """Write, and where it is refused or the answer is lost, look whether it is what we wrote that stands there.

    A proxy on the way may send a request twice, or lose the answer to one that was done: our own writing is nobody
    else's, and a release that is over is over.

    Raises:
        Gone: somebody else wrote.
        Unreachable: whether it arrived could not be found out either.
    """
    try:
        return await write(wanted)
    except (Gone, Unreachable):
        metadata = wanted["metadata"]
        live = await cluster.get("ConfigMap", metadata["namespace"], metadata["name"])
        if live and all(live.get(part) == wanted.get(part) for part in ("data", "binaryData", "immutable")):
            return live
        raise


def kept(history: list[Stored]) -> list[Stored]:
    """The records that stay: open ones, the one that serves, and the newest KEPT of the others."""
    serving = live(history)
    closed = [stored for stored in history if not stored.open and stored is not serving]
    return [stored for stored in history if stored not in closed[KEPT:]]


async def forget(history: list[Stored], kept: list[Stored], cluster: Cluster) -> None:
    """Delete the records that do not stay."""
    for stored in [stored for stored in history if stored not in kept]:
        record = stored.record
        await cluster.delete("ConfigMap", record.namespace, name(record.app, record.number))
