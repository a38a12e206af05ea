"""The verdict on going back: what release N's code reads and writes, against the database as it is now.

    safe        each query that release N makes still works
    degraded    it works, but for what the reasons say
    unknown     the schema fits, but a migration since then did to the data what nobody can read off it
    undo        safe once the migrations in `undo` are undone; only when asked for
    refused     release N's code can't work with this database, and nothing brings back what it reads

Pure: the facts that N recorded (W, known, applied), the facts of now (D, applied, what each migration did), a verdict.
The graph alone lies under fakes, RunSQL and hands, so it never says that something fits: it only names who did it.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

import msgspec

from nuages.app.schema import Database, Schema
from nuages.findings import Finding, Level, Place
from nuages.release.back import between, fits, lineage, undoing
from nuages.release.back.misfit import Misfit, Weight
from nuages.release.record import Stored


class Outcome(StrEnum):
    """What may be done."""

    SAFE = "safe"
    DEGRADED = "degraded"
    UNKNOWN = "unknown"
    UNDO = "undo"
    REFUSED = "refused"


_DECIDES = {
    Outcome.DEGRADED: Weight.DEGRADES,
    Outcome.UNKNOWN: Weight.HIDES,
    Outcome.UNDO: Weight.BREAKS,
    Outcome.REFUSED: Weight.BREAKS,
}
SHOWN = 3
"""Reasons in one line."""


class Undo(msgspec.Struct, frozen=True, kw_only=True):
    """The migrations of one database that would be undone, and what goes with them."""

    alias: str
    migrations: tuple[str, ...]
    """The newest first."""
    losses: tuple[str, ...] = ()
    """What goes for good: what was written since into what they added."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Whether release N's code can work with the database as it is."""

    outcome: Outcome
    release: int
    reasons: tuple[Misfit, ...] = ()
    """The heaviest first."""
    undo: tuple[Undo, ...] = ()
    """What would put right what breaks the old code; one for each database."""

    @property
    def goes(self) -> bool:
        """Whether the old code works as the database is, if not in all: nobody need say another word."""
        return self.outcome in (Outcome.SAFE, Outcome.DEGRADED)

    @property
    def line(self) -> str:
        """In one line: `going back to release 7: refused, because posts.0006_drop dropped posts_post.subtitle`."""
        weight = _DECIDES.get(self.outcome)
        told = [reason.message for reason in self.reasons if reason.weight is weight]
        why = "; ".join(told[:SHOWN]) + (f"; and {len(told) - SHOWN} more" if len(told) > SHOWN else "")
        undone = ", ".join(name for each in self.undo for name in each.migrations)
        answers = {
            Outcome.SAFE: "safe",
            Outcome.DEGRADED: f"degraded: {why}",
            Outcome.UNKNOWN: f"unknown{f', also with {undone} undone' if undone else ''}: {why}",
            Outcome.UNDO: f"safe with {undone} undone: {why}",
            Outcome.REFUSED: f"refused, because {why}",
        }
        return f"going back to release {self.release}: {answers[self.outcome]}"

    @property
    def short(self) -> str:
        """The same without the reasons, where they stand beside it."""
        undone = ", ".join(name for each in self.undo for name in each.migrations)
        taken = f"; safe with {undone} undone" if self.outcome is Outcome.UNDO else ""
        said = "not as it is" if self.outcome is Outcome.UNDO else self.outcome
        return f"going back to release {self.release}: {said}{taken}"

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The reasons, as all findings are shown."""
        return tuple(
            Finding(
                reason.id,
                Level.WARNING if reason.weight is Weight.DEGRADES else Level.ERROR,
                reason.message,
                Place(path=reason.place),
                reason.hint,
            )
            for reason in self.reasons
        )


def going_back(release: Stored, now: Schema | None) -> Verdict:
    """The verdict on bringing a recorded release back.

    Args:
        release: the release to go back to, with the facts that it recorded.
        now: the database as it is, or as a plan says it will be; None where nobody could look.
    """
    return compare(release.schema, now, release.record.number)


def compare(then: Schema | None, now: Schema | None, release: int) -> Verdict:
    """The verdict on release `release`, whose facts were `then`."""
    if then is None or now is None:
        who = f"release {release} recorded" if then is None else "nobody could look at the database, and nothing tells"
        reason = Misfit(
            weight=Weight.HIDES,
            id="release.E337",
            message=f"{who} nothing of the schema" if then is None else f"{who} what it is like",
            hint="a release made by this nuages records it" if then is None else "",
        )
        return Verdict(outcome=Outcome.UNKNOWN, release=release, reasons=(reason,))
    reasons: list[Misfit] = []
    undo: list[Undo] = []
    resolved = True
    for alias, before in sorted(then.databases.items()):
        found = sorted(_reasons(alias, before, now.databases.get(alias), release), key=lambda reason: reason.weight)
        reasons += found
        if wrong := [reason for reason in found if reason.weight is Weight.BREAKS]:
            way = undoing.way(before, now.databases.get(alias), wrong)
            if isinstance(way, undoing.Way):
                undo.append(Undo(alias=alias, migrations=way.migrations, losses=way.losses))
            else:
                resolved = False
                reasons[-len(found)] = msgspec.structs.replace(found[0], hint=_joined(found[0].hint, way))
    reasons.sort(key=lambda reason: reason.weight)
    return Verdict(
        outcome=_outcome(reasons, resolved),
        release=release,
        reasons=tuple(reasons),
        undo=tuple(undo) if resolved else (),
    )


def _outcome(reasons: list[Misfit], resolved: bool) -> Outcome:
    """The heaviest reason decides. What code of the project's own did, its way back may undo or not."""
    weights = {reason.weight for reason in reasons}
    if Weight.BREAKS in weights and not resolved:
        return Outcome.REFUSED
    if Weight.HIDES in weights:
        return Outcome.UNKNOWN
    if Weight.BREAKS in weights:
        return Outcome.UNDO
    return Outcome.DEGRADED if weights else Outcome.SAFE


def _reasons(alias: str, then: Database, now: Database | None, release: int) -> Iterator[Misfit]:
    if now is None or now.live is None:
        yield Misfit(weight=Weight.HIDES, id="release.E337", message=f"nobody looked at the database {alias}")
        return
    since = between.since(then, now)
    found = (
        *between.misfits(then, now, since),
        *fits.misfits(then, now, release),
        *lineage.misfits(then, now, since, release),
    )
    for misfit in found:
        yield msgspec.structs.replace(undoing.attributed(misfit, now, since), alias=alias)


def _joined(hint: str, more: str) -> str:
    return f"{hint}; {more}" if hint and more else hint or more
