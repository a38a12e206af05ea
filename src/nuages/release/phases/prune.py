"""What earlier releases made and nobody needs any more."""

from __future__ import annotations

from nuages.app.objects import Object
from nuages.release import draining, records
from nuages.release.leftover import left_over, naming
from nuages.release.phases.bring import delete
from nuages.release.record import Stored
from nuages.release.steps import Finished, Step, Waiting
from nuages.release.trials import beside
from nuages.release.world import World


async def prune(release: Stored, world: World) -> Step:
    """Remove what earlier releases made and this one has no use for; never anything that holds data.

    Only what our own records name, that is still ours, and of the uid that was written down. One that was applied just
    before a release was killed has none written down. What a kept record needs to be restored stays with it.
    """
    record = release.record
    history = await records.history(world.cluster, record.namespace, record.app, record.environment)
    for stored in beside.left_behind(history, world):
        # Its own set was promoted; that of another release was overtaken, and what its tasks are this one may not know.
        known = beside.known_tasks(release, stored)
        if waits := await beside.retire(stored, world, known=known):
            return Waiting(waits, 1.0)
    waits, stays = await draining.end(release, world)
    if waits:
        return Waiting(waits, 1.0)
    gone, stay = await left_over(release, history, world.cluster)
    at_work = [live for live in gone if working(live)]
    for live in gone:
        if live not in at_work:
            await delete(live, world)
            continue
        # Its Jobs would go with it, amid what they do.
        await world.lock.check()
        starts_none = {"spec": {"suspend": True}}
        await world.cluster.patch_merge(live["kind"], record.namespace, live["metadata"]["name"], starts_none)
    await world.lock.check()
    kept = records.kept(history)
    kept += [stored for stored in naming([*stay, *at_work], history) if stored not in kept]
    await records.forget(history, kept, world.cluster)
    removed = len(gone) - len(at_work)
    ends = [
        f"{live['metadata']['name']} starts nothing any more, and stays until its command has ended" for live in at_work
    ]
    said = f"{removed} removed" if removed else "nothing to remove"
    return Finished("; ".join(filter(None, [said, *ends, stays])))


def working(live: Object) -> bool:
    """Whether it is a schedule that runs at this moment: what began ends, and a later release removes it."""
    return live["kind"] == "CronJob" and bool(live.get("status", {}).get("active"))
