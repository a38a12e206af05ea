"""The set that goes beside the one that serves."""

from __future__ import annotations

from nuages.release.phases.bring import bring
from nuages.release.record import Stored
from nuages.release.steps import Step
from nuages.release.world import World


async def canary(release: Stored, world: World) -> Step:
    """A share of the requests goes to the new release, and both are compared."""
    return await bring("canary", release.manifest.canary, release.manifest.canary, release, world)
