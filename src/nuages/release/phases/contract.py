"""What no running code knows any more."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from nuages.release import records
from nuages.release.phases.migrating import ended, migrating
from nuages.release.record import Left, Record, Stored
from nuages.release.steps import Advanced, Finished, Paused, Step
from nuages.release.world import World
from nuages.render.jobs import SETTLE


async def contract(release: Stored, world: World) -> Step:
    """What migrations took away goes from the database too, put aside first; after the time that the spec gives."""
    record = release.record
    if record.left is not None and not record.left.statements:
        return Finished("nothing is left")
    if record.phase("contract") is None and (ends := _settled(release)) and world.now() < ends:
        when = ends.strftime("%d %B, %H:%M UTC")
        return Paused(f"until {when} what migrations took away is still there", "nuages deploy goes on from then on")
    jobs = release.manifest.contract
    step = await migrating("contract", jobs, release, world)
    if isinstance(step, Finished):
        told = await ended(jobs, world)
        if told.left is not None:
            left = Left(statements=told.left, backfills=told.backfills or 0)
            done = msgspec.structs.replace(record.finished("contract", world.now(), step.note), left=left)
            return Advanced(await records.save(release, done, world))
    return step


def _settled(release: Stored) -> datetime | None:
    """Until when the new version has to serve first; None where at once."""
    since = _since(release.record)
    if since is None or not release.manifest.contract:
        return None
    annotations = release.manifest.contract[0]["metadata"].get("annotations", {})
    return since + timedelta(seconds=float(annotations.get(SETTLE, "0")))


def _since(record: Record) -> datetime | None:
    return record.live or record.started
