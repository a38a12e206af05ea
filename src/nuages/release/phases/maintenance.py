"""The page that stands in for the app, and the end of all that writes to the database."""

from __future__ import annotations

from nuages.app.objects import Object
from nuages.release import draining
from nuages.release.phases.bring import apply_all, bring, delete
from nuages.release.record import Stored
from nuages.release.steps import Finished, Step, Waiting
from nuages.release.trials import beside
from nuages.release.world import World
from nuages.render.autoscale import SCALED_OBJECT, paused
from nuages.render.labels import BEAT, COMPONENT, KEY, SCHEDULE, WEB, WORKER
from nuages.render.maintenance import KEY as PAGE
from nuages.render.pause import HAND
from nuages.render.switch import to_page
from nuages.rollout.kinds import Waiting as Unended
from nuages.rollout.kinds import tracker

SENDERS = (BEAT, WEB)
"""They send tasks: they end first, and the workers have time for what is left."""

PAGES = (PAGE, HAND)
"""They write nothing."""


async def maintenance(release: Stored, world: World) -> Step:
    """First the page is there, then requests go to it, then who sends tasks ends, then who works them off.

    Each step is taken again where it was taken already, so it may be killed anywhere. Whoever runs it again brings the
    new release; `nuages abort` brings the old one back, until the database is touched.
    """
    page = release.manifest.maintenance
    step = await bring("maintenance", page, page, release, world)
    if not isinstance(step, Finished):
        return step
    old = await beside.serving(world, release)
    if old is None:
        return Finished("nothing serves")
    await apply_all([to_page(item, PAGE) for item in ways(old) if item["kind"] == "Service"], world)
    await apply_all([suspended(item) for item in old.manifest.schedules], world)
    await apply_all([paused(item) for item in old.manifest.objects if item["kind"] == SCALED_OBJECT], world)
    if at_work := running(world):
        return Waiting(f"{', '.join(at_work)} to end", 1.0)
    for components in (SENDERS, (WORKER,)):
        if components == (WORKER,) and (waits := await draining.last(release, old, world)):
            return Waiting(waits, 1.0)
        await _end(components, old, release, world)
        if left := writers(components, world):
            return Waiting(f"{len(left)} of {' and '.join(components)} to end", 1.0)
    return Finished("the page answers, and nothing writes")


def ways(old: Stored) -> list[Object]:
    """The objects by which requests reach the webs of a release."""
    return [*old.manifest.web, *old.manifest.exposure]


def suspended(schedule: Object) -> Object:
    """A CronJob that starts nothing for the time being; the phase of the schedules, forth or back, lets it start."""
    return {**schedule, "spec": {**schedule["spec"], "suspend": True}}


def running(world: World) -> list[str]:
    """The Jobs of schedules that have not ended: one that is between two tries has no pod, and goes on all the same."""
    return [
        job["metadata"]["name"]
        for job in world.mirror.items("Job")
        if job["metadata"].get("labels", {}).get(COMPONENT) == SCHEDULE
        and isinstance(tracker("Job").verdict(job, world.mirror), Unended)
        and not job["spec"].get("suspend")
    ]


def writers(components: tuple[str, ...], world: World) -> list[Object]:
    """The pods of these components that there are still, those that end among them."""
    return [
        pod
        for pod in world.mirror.items("Pod")
        if pod["metadata"].get("labels", {}).get(COMPONENT) in components
        and pod["metadata"]["labels"].get(KEY) not in PAGES
        and pod.get("status", {}).get("phase") not in ("Succeeded", "Failed")
    ]


async def _end(components: tuple[str, ...], old: Stored, release: Stored, world: World) -> None:
    """Leave no pod of these components. What neither release knows was left by one that failed: it goes."""
    known = {
        (item["kind"], item["metadata"]["name"]): item
        for each in (release, old)
        for item in (*each.manifest.workers, *each.manifest.web, *each.manifest.beat)
    }
    running = [
        item
        for kind in ("Deployment", "StatefulSet")
        for item in world.mirror.items(kind)
        if item["metadata"].get("labels", {}).get(COMPONENT) in components
        and item["metadata"]["labels"].get(KEY) not in PAGES
        and item["spec"].get("replicas", 1)
    ]
    none = [known.get((item["kind"], item["metadata"]["name"])) for item in running]
    await apply_all([{**item, "spec": {**item["spec"], "replicas": 0}} for item in none if item], world)
    for item in [item for item, wanted in zip(running, none, strict=True) if wanted is None]:
        await delete(item, world)
