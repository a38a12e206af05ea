"""What no running code knows any more."""

from __future__ import annotations

from nuages.release.phases.bring import bring
from nuages.release.record import Stored
from nuages.release.steps import Step
from nuages.release.world import World


async def contract(release: Stored, world: World) -> Step:
    """What migrations took away goes from the database too, put aside first."""
    return await bring("contract", release.manifest.contract, release.manifest.contract, release, world)
