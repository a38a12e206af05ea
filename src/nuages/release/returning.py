"""Back to the last good release by itself, where a release failed after it replaced pods and the database allows it."""

from __future__ import annotations

from nuages.app.schema import Schema
from nuages.errors import ClusterError, CommandFailed, ReleaseFailed, RolledBack
from nuages.progress import step
from nuages.release import asking, beside, records, rollback
from nuages.release.begin import Whose, begin
from nuages.release.engine import drive
from nuages.release.record import Stored
from nuages.release.trial import PROMOTED
from nuages.release.verdict import Outcome, going_back
from nuages.release.world import World

REPLACING = frozenset({"maintenance", "canary", "workers", "web", "beat", "verify"})
"""The phases that touch what serves; a release that failed before left it alone."""

ALLOWED = frozenset({Outcome.SAFE, Outcome.DEGRADED})


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
    if refused := await _refused(latest, old, world):
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


async def _refused(latest: Stored, old: Stored, world: World) -> str:
    """Why the old release can't go on with the database as it is now; "" where it can."""
    if not latest.manifest.expand or latest.record.build.migrations == old.record.build.migrations:
        return ""  # no database, or nothing has been migrated
    asked = ["python", "-m", "nuages_runtime.migrations", "inspect"]
    try:
        now = await asking.ask(latest.manifest.expand[0], asked, world.cluster, answer=Schema, title="inspect")
    except (CommandFailed, ClusterError) as unknown:
        return f"nobody can tell whether release {old.record.number} works with this database: {unknown.message}"
    verdict = going_back(old, now)
    return "" if verdict.outcome in ALLOWED else verdict.line


def _told(failure: ReleaseFailed, what: str) -> RolledBack:
    said = failure.message.partition(";")[0]
    return RolledBack(f"{said}; {what}", detail=failure.detail, hint=failure.hint)
