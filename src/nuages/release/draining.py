"""Workers of the release before, kept beside the new ones for tasks that only they know: removed, or called otherwise.

A worker gives a task that it does not know back to the queue (nuages_runtime.worker), so with both beside each other
each task finds one that knows it. They go when none of theirs is left, be it releases later. It is the same on the way
back: then the tasks that the newer release brought are only known to its own workers.
"""

from __future__ import annotations

from nuages.app.objects import Object
from nuages.release import records
from nuages.release.phases.bring import apply_all, delete, survey_of
from nuages.release.record import Stored
from nuages.release.tasks import compare
from nuages.release.world import World
from nuages.render.labels import COMPONENT, TRACK, WORKER
from nuages.render.tasks import NAMES, OLD, celery, job, kept
from nuages.rollout.kinds import Done, Failed, tracker

SECONDS = 60
"""How long a release waits for the last of them when all else is over; after that they stay, and a later one looks."""


async def keep(release: Stored, world: World) -> str:
    """Before the workers are replaced: one of each kind stays, where it is needed; answers what is waited for."""
    own = celery(release.manifest.workers)
    if not own or not (names := await _only_theirs(release, world)):
        return ""
    running = [
        live
        for item in own
        if (live := world.mirror.get("Deployment", item["metadata"]["name"]))
        and live.get("status", {}).get("availableReplicas")
    ]
    beside = [kept(live, names) for live in running]
    missing = [item for item in beside if world.mirror.get("Deployment", item["metadata"]["name"]) is None]
    if missing:
        await apply_all(missing, world)
    found = survey_of(beside, world)
    if found.waiting:
        return f"an old worker to stay beside, for {', '.join(names)}"
    return ""


async def end(release: Stored, world: World) -> tuple[str, str]:
    """When all else is over: let those go that have nothing left to do; answers what is waited for, and what stays."""
    stays = []
    for live in [item for item in world.mirror.items("Deployment") if _old(item)]:
        name, names = live["metadata"]["name"], live["metadata"].get("annotations", {}).get(NAMES, "")
        asked = f"{name}-{release.record.number}"
        waits = world.mirror.get("Job", asked)
        if waits is None:
            command = ["wait", "--names", names, "--for", str(SECONDS)]
            await apply_all([job(live, asked, command, seconds=SECONDS + 120, tries=1)], world)
            return f"tasks that only {name} knows", ""
        match tracker("Job").verdict(waits, world.mirror):
            case Done():
                await delete(live, world)
                await delete(waits, world)
            case Failed():
                await delete(waits, world)
                stays.append(f"{name} stays for tasks that only it knows: {names}")
            case _:
                return f"tasks that only {name} knows", ""
    return "", "; ".join(stays)


async def last(release: Stored, old: Stored, world: World) -> str:
    """Before the old workers end without others beside them: they end the tasks that the new ones can't take.

    Nobody sends any more by now. Answers what is waited for; what is not over in the time that a pod has to end, a task
    for tomorrow, stays in the queue.
    """
    own = celery(old.manifest.workers)
    names = compare(old.record.build.tasks, release.record.build.tasks).lost
    if not own or not names:
        return ""
    name = f"{release.record.app}-tasks-last-{release.record.number}"
    waits = world.mirror.get("Job", name)
    if waits is None:
        live = world.mirror.get("Deployment", own[0]["metadata"]["name"])
        if not live or not live.get("status", {}).get("availableReplicas"):
            return ""
        grace = own[0]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
        command = ["wait", "--names", ",".join(names), "--for", str(grace)]
        await apply_all([job(own[0], name, command, seconds=grace + 300, tries=1)], world)
        return f"tasks that only the old workers know: {', '.join(names)}"
    if isinstance(tracker("Job").verdict(waits, world.mirror), Done | Failed):
        return ""
    return f"tasks that only the old workers know: {', '.join(names)}"


async def _only_theirs(release: Stored, world: World) -> list[str]:
    """The tasks that the workers which run now know, and those of this release do not."""
    record = release.record
    history = await records.history(world.cluster, record.namespace, record.app, record.environment)
    before = next((one for one in history if one.record.number < record.number and one.record.phase("workers")), None)
    if before is None:
        return []
    found = compare(before.record.build.tasks, record.build.tasks)
    return sorted({*found.removed, *(one.before for one in found.renamed)})


def _old(item: Object) -> bool:
    labels = item["metadata"].get("labels", {})
    return (labels.get(COMPONENT), labels.get(TRACK)) == (WORKER, OLD)
