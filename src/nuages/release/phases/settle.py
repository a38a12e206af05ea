"""What migrations leave for after the rollout."""

from __future__ import annotations

from nuages.release.phases.bring import bring
from nuages.release.record import Stored
from nuages.release.steps import Step
from nuages.release.world import World


async def settle(release: Stored, world: World) -> Step:
    """Backfills: by now no old pod writes what they would have to fill in again."""
    return await bring("settle", release.manifest.settle, release.manifest.settle, release, world)
