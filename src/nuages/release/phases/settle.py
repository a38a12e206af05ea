"""What migrations leave for after the rollout."""

from __future__ import annotations

from nuages.release.phases.migrating import worked_off
from nuages.release.record import Stored
from nuages.release.steps import Finished, Step
from nuages.release.world import World


async def settle(release: Stored, world: World) -> Step:
    """Backfills: by now no old pod writes what they would have to fill in again. No Job where there are none."""
    record = release.record
    if record.left is None and not _migrated(release):
        return Finished("nothing was migrated")
    if record.left is not None and not record.left.backfills:
        return Finished("no backfill was left")
    return await worked_off("settle", release.manifest.settle, release, world)


def _migrated(release: Stored) -> bool:
    """Whether this release had a migrate Job of its own, whose log may be closed to us."""
    jobs = {job["metadata"]["name"] for job in release.manifest.expand}
    return any(reference.kind == "Job" and reference.name in jobs for reference in release.record.inventory)
