"""Whether a column of the right name is the one it was, not one that was made again or took another's name: the schema
looks the same then, and the data is not there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from nuages.app.schema import Database, Effect, Migration
from nuages.release.back.misfit import Misfit, Weight

Place = tuple[str, str]


def misfits(then: Database, now: Database, since: Collection[str], release: int) -> Iterator[Misfit]:
    """The columns that release `release` reads, and whose name something else has since then."""
    origins = {(table, column): (table, column) for table, wanted in then.wanted.items() for column in wanted.columns}
    holders: dict[Place, Place | None] = dict(origins)
    who: dict[Place, str] = {}
    for name, migration in (now.effects or {}).items():
        if name in since and not _told_again(migration, holders):
            for effect in migration.effects:
                holders = _after(effect, holders, origins)
                for place in origins:
                    if holders.get(place) != place:
                        who.setdefault(place, name)
    for place in sorted(origins):
        there = (now.live or {}).get(place[0])
        # Gone by the graph and there all the same: a fake, or a drop that is still to come.
        if there is not None and place[1] in there.columns and holders.get(place, place) != place:
            yield Misfit(
                weight=Weight.BREAKS,
                id="release.E330",
                message=f"{who[place]} put something else under the name of {'.'.join(place)},"
                f" which release {release} reads",
                table=place[0],
                column=place[1],
                migration=who[place],
            )


def _told_again(migration: Migration, holders: Collection[Place]) -> bool:
    """Whether it makes what is there: a squash of what was applied before, or a fake. Neither did anything.

    What it takes away before it makes it anew was there, and is not told again.
    """
    freed: list[Effect] = []
    for effect in migration.effects:
        if effect.does in ("drop", "rename"):
            freed.append(effect)
        elif effect.does == "create":
            taken = (place for place in holders if _within(place, effect))
            if any(not any(_within(place, other) for other in freed) for place in taken):
                return True
    return False


def _after(effect: Effect, holders: dict[Place, Place | None], origins: Collection[Place]) -> dict[Place, Place | None]:
    """What each name holds after an effect: the place of before whose data it is; None for what was made since."""
    before = (effect.table, effect.column)
    if effect.does == "drop":
        return {place: held for place, held in holders.items() if not _within(place, effect)}
    if effect.does == "create":
        return {**holders, **{place: None for place in origins if _within(place, effect)}}
    if effect.does == "rename":
        stays = {place: held for place, held in holders.items() if not _within(place, effect)}
        moved = {
            ((effect.to, place[1]) if before[1] is None else (place[0], effect.to)): held
            for place, held in holders.items()
            if _within(place, effect)
        }
        return {**stays, **moved}
    return holders


def _within(place: Place, effect: Effect) -> bool:
    return place[0] == effect.table and effect.column in (None, place[1])
