"""Beat, last."""

from __future__ import annotations

from nuages.release.phases.bring import bring
from nuages.release.record import Stored
from nuages.release.steps import Step
from nuages.release.world import World


async def beat(release: Stored, world: World) -> Step:
    """The one that sends tasks by the clock; last, when those who know them are there."""
    return await bring("beat", release.manifest.beat, release.manifest.beat, release, world)
