"""What migrations leave for after the rollout."""

from __future__ import annotations

import msgspec

from nuages.release import records
from nuages.release.phases.migrating import ended, migrating
from nuages.release.record import Left, Stored
from nuages.release.steps import Advanced, Finished, Step
from nuages.release.world import World


async def settle(release: Stored, world: World) -> Step:
    """Backfills: by now no old pod writes what they would have to fill in again. No Job where there are none."""
    record = release.record
    if record.left is None and not _migrated(release):
        return Finished("nothing was migrated")
    if record.left is not None and not record.left.backfills:
        return Finished("no backfill was left")
    jobs = release.manifest.settle
    step = await migrating("settle", jobs, release, world)
    if isinstance(step, Finished):
        told = await ended(jobs, world)
        if told.left is not None:
            left = Left(statements=told.left, backfills=told.backfills or 0)
            done = msgspec.structs.replace(record.finished("settle", world.now(), step.note), left=left)
            return Advanced(await records.save(release, done, world))
    return step


def _migrated(release: Stored) -> bool:
    """Whether this release had a migrate Job of its own, whose log may be closed to us."""
    jobs = {job["metadata"]["name"] for job in release.manifest.expand}
    return any(reference.kind == "Job" and reference.name in jobs for reference in release.record.inventory)
