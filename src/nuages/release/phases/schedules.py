"""What runs at its time."""

from __future__ import annotations

from nuages.release.phases.bring import bring
from nuages.release.record import Stored
from nuages.release.steps import Step
from nuages.release.world import World


async def schedules(release: Stored, world: World) -> Step:
    """The commands at their time: what starts from now on is of this release; what runs ends as it began."""
    return await bring("schedules", release.manifest.schedules, release.manifest.schedules, release, world)
