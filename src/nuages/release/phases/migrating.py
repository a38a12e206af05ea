"""A migrate Job, whatever its stage: applied, followed by what it tells of itself, and judged at its end."""

from __future__ import annotations

import msgspec

from nuages.app.objects import Object
from nuages.progress import Said
from nuages.release import records, reports
from nuages.release.phases.bring import bring
from nuages.release.record import Stored
from nuages.release.reports import LAST, Report
from nuages.release.steps import Advanced, Failed, Finished, Step, Waiting
from nuages.release.world import World

LOOK_AGAIN = 2.0
"""Seconds between two looks at the log: a person wants to see which migration it is."""
UNSURVIVED = ("migration.E430", "migration.E431")
"""What is refused for the sake of the code that runs; the rest is what the project itself says."""


async def migrating(phase: str, jobs: list[Object], release: Stored, world: World) -> Step:
    """Apply the Jobs once, then wait for them; while they run, the answer says which statement is under way."""
    step = await bring(phase, jobs, jobs, release, world)
    match step:
        case Waiting(reason, again) if jobs:
            told = await reports.of_job(jobs[-1], world, tail=LAST)
            return Waiting(told.under_way or reason, min(again, LOOK_AGAIN))
        case Failed(message, detail, hint) if jobs:
            return _failed(Failed(message, detail, hint), await reports.of_job(jobs[-1], world))
    return step


async def worked_off(phase: str, jobs: list[Object], release: Stored, world: World) -> Step:
    """`migrating`, of what an earlier phase left; at its end the record says how much of that is left still."""
    step = await migrating(phase, jobs, release, world)
    if isinstance(step, Finished) and (left := (await ended(jobs, world)).left):
        done = msgspec.structs.replace(release.record.finished(phase, world.now(), step.note), left=left)
        return Advanced(await records.save(release, done, world))
    return step


async def ended(jobs: list[Object], world: World) -> Report:
    """What Jobs that are done told; what a person should know of it is said."""
    if not jobs:
        return Report()
    told = await reports.of_job(jobs[-1], world)
    for note in told.notes:
        world.sink(Said(note))
    return told


def _failed(step: Failed, told: Report) -> Step:
    """In the Job's own words, where it has told them: the migration, the statement, the cure; or what was refused."""
    if told.refused:
        lines = [
            f"{': '.join(filter(None, [str(found.place), found.message]))} ({found.id})\n  {found.hint}"
            for found in told.refused
        ]
        if any(found.id in UNSURVIVED for found in told.refused):
            message = "migrations were refused, and nothing was touched: the running code would not survive them"
            return Failed(
                message, "\n".join(lines), "split them as shown, or: nuages deploy --maintenance", refused=True
            )
        message = "the project is not fit for a release, and nothing was touched"
        return Failed(message, "\n".join(lines), "mend it, or name what may pass in django.checks.ignore", refused=True)
    if told.failed is None:
        return step
    where = f"{told.failed.migration}: " if told.failed.migration else ""
    statement = told.failed.statement
    said = f"the statement was: {statement}\n" if statement and statement not in step.detail else ""
    return Failed(f"{where}{told.failed.error}", (said + step.detail).strip(), told.failed.hint or step.hint)
