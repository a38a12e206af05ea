"""The moment from which on a release serves."""

from __future__ import annotations

from nuages.progress import Told
from nuages.release import records
from nuages.release.record import Stored
from nuages.release.steps import Advanced, Step
from nuages.release.world import World


async def live(release: Stored, world: World) -> Step:
    """All pods are there, and answer: said and written down before anything else is done, since people wait for it.

    What comes after takes time (backfills, what is pruned), and takes nothing of it back.
    """
    now = world.now()
    record = release.record.serves(now).finished("live", now, f"release {release.record.number} serves")
    saved = await records.save(release, record, world)
    world.sink(Told("live", {"release": record.number}))
    return Advanced(saved)
