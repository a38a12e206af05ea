"""Migrations taken back, once the old pods are there: what the newer ones needed, nobody needs any more."""

from __future__ import annotations

import msgspec

from nuages.release import records
from nuages.release.phases.migrating import migrating
from nuages.release.record import Stored
from nuages.release.steps import Advanced, Step
from nuages.release.world import World


async def undo(release: Stored, world: World) -> Step:
    """Run the newer image's Job that undoes them; the next deploy migrates again, whatever it finds."""
    record = release.record
    if record.phase("undo") is None and record.database is not None:
        return Advanced(await records.save(release, msgspec.structs.replace(record, database=None), world))
    return await migrating("undo", release.manifest.undo, release, world)
