"""What no running code knows any more."""

from __future__ import annotations

from datetime import datetime, timedelta

from nuages.release.phases.migrating import worked_off
from nuages.release.record import Stored
from nuages.release.steps import Finished, Paused, Step
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
    return await worked_off("contract", release.manifest.contract, release, world)


def _settled(release: Stored) -> datetime | None:
    """Until when the new version has to serve first; None where at once."""
    since = release.record.live or release.record.started
    if since is None or not release.manifest.contract:
        return None
    annotations = release.manifest.contract[0]["metadata"].get("annotations", {})
    return since + timedelta(seconds=float(annotations.get(SETTLE, "0")))
