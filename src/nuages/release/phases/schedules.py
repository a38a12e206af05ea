"""What runs at its time."""

from __future__ import annotations

from nuages.app.objects import Object
from nuages.release.phases.bring import bring
from nuages.release.record import Stored
from nuages.release.services.change import image
from nuages.release.steps import Finished, Step
from nuages.release.world import World
from nuages.render.backup import following
from nuages.render.labels import BACKUP, COMPONENT, POSTGRES


async def schedules(release: Stored, world: World) -> Step:
    """The commands at their time: what starts from now on is of this release; what runs ends as it began.

    Nothing is waited for: a CronJob that the API server took is one that its controller reads.
    """
    wanted = [_of_today(item, release, world) for item in release.manifest.schedules]
    step = await bring("schedules", wanted, [], release, world)
    if not isinstance(step, Finished):
        return step
    stopped = sum(item["spec"]["suspend"] for item in release.manifest.schedules)
    at_their_time = len(release.manifest.schedules) - stopped
    return Finished(", ".join(filter(None, [f"{at_their_time} at their time", f"{stopped} suspended" * bool(stopped)])))


def _of_today(item: Object, release: Stored, world: World) -> Object:
    """A schedule of backups that can dump the server there is: it may be a newer one than when it was rendered."""
    if item["kind"] != "CronJob" or item["metadata"]["labels"].get(COMPONENT) != BACKUP:
        return item
    for store in release.manifest.services:
        if store["kind"] == "StatefulSet" and store["metadata"]["labels"].get(COMPONENT) == POSTGRES:
            live = world.mirror.get("StatefulSet", store["metadata"]["name"])
            return following(item, image(live)) if live else item
    return item
