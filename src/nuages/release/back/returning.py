"""Back to the last good release by itself, where a release failed after it replaced pods and the database allows it."""

from __future__ import annotations

from nuages.errors import Refused, ReleaseFailed, RolledBack
from nuages.progress import step
from nuages.release import records
from nuages.release.back import looking, rollback
from nuages.release.begin import Whose, begin
from nuages.release.engine import drive
from nuages.release.phases.workers import IDLE
from nuages.release.record import Stored
from nuages.release.trials import beside
from nuages.release.trials.trial import PROMOTED
from nuages.release.world import World

REPLACING = frozenset({"maintenance", "canary", "workers", "web", "beat", "verify"})
"""The phases that touch what serves; a release that failed before left it alone."""


async def bring_back(failure: ReleaseFailed, number: int, app: Whose, world: World) -> None:
    """Bring the last good release back after `failure` of release `number`; returns where there is nothing to do.

    Raises:
        RolledBack: it was brought back.
        ReleaseFailed: it was not, since the database has moved on; or that failed too.
    """
    history = await records.history(world.cluster, app.namespace, app.name, app.environment)
    latest, old = history[0], records.live(history)
    if latest.record.number != number or latest.record.went_live or old is None:
        return
    begun = {passed.phase for passed in latest.record.passed}
    if not begun & REPLACING:
        return
    trial = latest.record.trial
    if trial and trial.ending != PROMOTED:
        await end_set(latest, old, world)
        raise _told(failure, f"its set is gone, and release {old.record.number} serves as before")
    if refused := await _refused(old, history, world):
        raise ReleaseFailed(
            failure.message,
            detail=failure.detail,
            hint=f"{refused}; not brought back by itself. {failure.hint}".strip(),
        ) from failure
    try:
        back = await drive(await begin(rollback.plan(history, old.record.number), history, world), world)
    except ReleaseFailed as again:
        raise ReleaseFailed(
            f"{failure.message}; bringing release {old.record.number} back failed too",
            detail=f"{failure.detail}\n{again.message}\n{again.detail}".strip(),
            hint=again.hint or failure.hint,
        ) from again
    raise _told(failure, f"release {old.record.number} was brought back, as release {back.number}")


async def end_set(release: Stored, old: Stored | None, world: World) -> None:
    """Take the requests from a set, and then the set away."""
    if old:
        await beside.take_back(release, old, world)
    known = beside.known_tasks(old, release)
    with step(world.sink, "back") as shown:
        while True:
            seen = world.mirror.version
            if not (left := await beside.retire(release, world, known=known)):
                break
            shown.say(left)
            await world.mirror.changed(1.0, since=seen)
        shown.note = "the set is gone"


async def _refused(old: Stored, history: list[Stored], world: World) -> str:
    """Why the old release can't go on with the database as it is now; "" where it can."""
    if history[0].record.build.migrations == old.record.build.migrations:
        return ""  # nothing was to be migrated, so nothing was
    try:
        verdict = await looking.verdict(old, history, world.cluster, lambda _: None)
    except Refused as unknown:
        return unknown.message
    return "" if verdict.goes else verdict.line


def _told(failure: ReleaseFailed, what: str) -> RolledBack:
    said = failure.message.partition(";")[0]
    return RolledBack(f"{said}; {what}", detail=failure.detail, hint=failure.hint.removesuffix(IDLE).removesuffix("; "))
