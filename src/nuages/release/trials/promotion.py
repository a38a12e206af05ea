"""What a person says of a release that waits: on with it, or back."""

from __future__ import annotations

from typing import NoReturn

import msgspec

from nuages.app.components import App
from nuages.errors import Refused, ReleaseFailed
from nuages.kube.client import Cluster
from nuages.progress import Sink
from nuages.release import records
from nuages.release.back import rollback
from nuages.release.back.returning import bring_back, end_set
from nuages.release.begin import begin, entered
from nuages.release.engine import drive
from nuages.release.locks.holder import user
from nuages.release.locks.lock import ANY, Wish
from nuages.release.record import Outcome, Record, Stored
from nuages.release.trials.trial import ABORTED, PROMOTED, Trial
from nuages.release.world import World

TOUCHED = "expand"
"""From this phase on the database may be another one than the old release knows."""

TAKES_OVER = ("workers", "web", "beat")
"""The phases in which pods are replaced; of a rollback the last one comes first."""


async def promote(app: App, cluster: Cluster, sink: Sink, *, whole: bool = False, wish: Wish = ANY) -> Record:
    """Go on with the release that waits: a set gets the next share of the requests, or becomes the release.

    Args:
        app: whose, and in which environment.
        cluster: where.
        sink: who is told of the phases.
        whole: all of it at once, whatever steps are left.
        wish: what is wanted of the lock.

    Raises:
        Refused: no release waits.
        ReleaseFailed: as a deploy.
    """
    async with entered(app, cluster, sink, wish) as (world, history):
        waits = _waiting(history)
        if (trial := waits.record.trial) and not trial.ending:
            later = _later(trial, whole=whole)
            waits = await records.save(waits, msgspec.structs.replace(waits.record, trial=later, paused=None), world)
        try:
            return await drive(waits, world)
        except ReleaseFailed as failure:
            await bring_back(failure, waits.record.number, app, world)
            raise


async def abort(app: App, cluster: Cluster, sink: Sink, *, wish: Wish = ANY) -> Record:
    """Take the release that waits, or was stopped, back: the one that serves is as it was; returns the closed record.

    Raises:
        Refused: there is none; or what it did can only be gone back from with a verdict, by `nuages rollback`.
    """
    async with entered(app, cluster, sink, wish) as (world, history):
        waits = _waiting(history)
        record, old = waits.record, records.live(history)
        if record.trial and record.trial.ending != PROMOTED:
            aborted = msgspec.structs.replace(record.trial, ending=ABORTED)
            waits = await records.save(waits, msgspec.structs.replace(record, trial=aborted, paused=None), world)
            await end_set(waits, old, world)
        elif record.maintenance and record.phase(TOUCHED) is None and old:
            closed = await _close(waits, world)
            return await drive(
                await begin(rollback.plan([closed, *history[1:]], old.record.number), [closed, *history[1:]], world),
                world,
            )
        elif record.went_live or record.maintenance or any(map(record.phase, TAKES_OVER)):
            _refuse(record)
        return (await _close(waits, world)).record


def _later(trial: Trial, *, whole: bool) -> Trial:
    """The next step, or the end of all steps."""
    if whole or trial.last:
        return msgspec.structs.replace(trial, ending=PROMOTED)
    return trial.at(trial.step + 1)


def _waiting(history: list[Stored]) -> Stored:
    if not history or not history[0].open:
        raise Refused("no release waits", hint="nuages releases lists them; nuages deploy --canary 10% makes one")
    return history[0]


def _refuse(record: Record) -> NoReturn:
    raise Refused(
        f"release {record.number} is past the point where it could be left alone",
        hint="nuages deploy goes on with it, nuages rollback brings the one before back where the database allows it",
    )


async def _close(waits: Stored, world: World) -> Stored:
    said = f"aborted by {user()}"
    return await records.save(waits, waits.record.closed(Outcome.FAILED, world.now(), said), world)
