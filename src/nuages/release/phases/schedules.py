"""What runs at its time."""

from __future__ import annotations

from nuages.release.phases.bring import bring
from nuages.release.record import Stored
from nuages.release.steps import Finished, Step
from nuages.release.world import World


async def schedules(release: Stored, world: World) -> Step:
    """The commands at their time: what starts from now on is of this release; what runs ends as it began.

    Nothing is waited for: a CronJob that the API server took is one that its controller reads.
    """
    step = await bring("schedules", release.manifest.schedules, [], release, world)
    if not isinstance(step, Finished):
        return step
    stopped = sum(item["spec"]["suspend"] for item in release.manifest.schedules)
    at_their_time = len(release.manifest.schedules) - stopped
    return Finished(", ".join(filter(None, [f"{at_their_time} at their time", f"{stopped} suspended" * bool(stopped)])))
