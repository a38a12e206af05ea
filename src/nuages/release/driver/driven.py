"""The side in the cluster: a Job goes on with the record that was written, with the very same engine."""

from __future__ import annotations

import asyncio
import contextlib
from typing import NamedTuple

from nuages.errors import NuagesError, Superseded
from nuages.kube.client import Cluster
from nuages.progress import Sink, Told
from nuages.release.begin import begin, held
from nuages.release.deploy import see_through
from nuages.release.driver.detach import KEPT
from nuages.release.locks.holder import heir, user
from nuages.release.locks.lock import FOR_EVER, Wish
from nuages.release.record import Record


class Place(NamedTuple):
    """Whose releases are meant."""

    name: str
    environment: str
    namespace: str


async def drive_on(place: Place, number: int, cluster: Cluster, sink: Sink, *, returns: bool) -> Record:
    """Take the lock from whoever handed the release over, or died over it, and bring it to its end.

    One that has ended already is answered as it is: a pod before this one was quicker.

    Raises:
        Superseded: another release has overtaken it.
        ReleaseFailed, RolledBack: as a deploy does.
    """
    kept = heir(user(), number)
    wish = Wish(command=f"nuages deploy --detach, release {number}", wait=FOR_EVER, heir=kept)
    async with held(place, cluster, sink, wish) as (world, history):
        found = next((stored for stored in history if stored.record.number == number), None)
        if found is None or (history[0] is not found and found.open):
            raise Superseded(f"release {number} was overtaken by another one", hint="nuages releases")
        if not found.open:
            sink(Told(found.record.outcome.value, {"release": number}))
            return found.record
        try:
            return await see_through(await begin(found, history, world), place, world, returns=returns)
        except asyncio.CancelledError:
            # The pod is evicted. The next one is to go on, and not who waits in the queue to begin something else.
            with contextlib.suppress(NuagesError):
                await asyncio.shield(world.lock.hand_to(kept, seconds=KEPT))
            raise
