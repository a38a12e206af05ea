"""The workers: before the web, which sends them tasks."""

from __future__ import annotations

from nuages.release import draining
from nuages.release.phases.bring import bring
from nuages.release.record import Stored
from nuages.release.steps import Failed, Step, Waiting
from nuages.release.world import World

IDLE = "no tasks are worked off until then: the old workers have ended. nuages rollback brings them back"
"""No old one is kept beside for all tasks: it would take new ones that it does not know, and drop them."""


async def workers(release: Stored, world: World) -> Step:
    """New workers for old ones: those stop to take tasks first, and end the ones they have, beside the new.

    Where the old ones know tasks that the new ones do not, one of each kind stays beside until these are done.
    """
    if release.record.phase("workers") is None and (waits := await draining.keep(release, world)):
        return Waiting(waits, 1.0)
    step = await bring("workers", release.manifest.workers, release.manifest.workers, release, world)
    if isinstance(step, Failed) and world.serving:
        return step._replace(hint=f"{step.hint}; {IDLE}" if step.hint else IDLE)
    return step
