"""The page that stands in for the app."""

from __future__ import annotations

from nuages.release.phases.bring import bring
from nuages.release.record import Stored
from nuages.release.steps import Step
from nuages.release.world import World


async def maintenance(release: Stored, world: World) -> Step:
    """The page takes over, and who writes to the database ends."""
    return await bring("maintenance", release.manifest.maintenance, release.manifest.maintenance, release, world)
