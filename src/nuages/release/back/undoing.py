"""Which migration did what the earlier code does not fit, and what undoing it would bring back.

That an operation is reversible is no promise: a column that was dropped comes back empty. So a way back is only told
where everything that the earlier release reads is still there at its end, with its data.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from nuages.app.schema import Database, Effect, Migration
from nuages.release.back.misfit import Misfit
from nuages.release.back.types import GOOD, fit

Place = tuple[str, str | None]


class Way(NamedTuple):
    """A way back."""

    migrations: tuple[str, ...]
    """To be undone, the newest first."""
    losses: tuple[str, ...]


def attributed(misfit: Misfit, now: Database, since: Sequence[str]) -> Misfit:
    """The misfit with the migration that did it, where one of those since then says so."""
    if misfit.migration or not misfit.table:
        return misfit
    effects = now.effects or {}
    for name in reversed([name for name in effects if name in since or _stands_for(name, since, now)]):
        for effect in reversed(effects[name].effects):
            if _did(effect, misfit):
                place = f"{misfit.table}.{misfit.column}" if misfit.column else misfit.table
                done = {"drop": f"dropped {place}", "rename": f"renamed {place} to {effect.to}"}.get(effect.does)
                told = misfit.message.removeprefix(place).removesuffix(", is not there").removeprefix(", ")
                # Of a rename, what it took is told so; what it made is in the old code's way as if it were added.
                gone = done is not None and misfit.id == "release.E330"
                message = f"{name} {done}, {told}" if gone else f"{misfit.message} ({name})"
                return msgspec.structs.replace(misfit, migration=name, message=message)
    return misfit


def way(then: Database, now: Database | None, wrong: Iterable[Misfit]) -> Way | str:
    """The fewest migrations that would have to be undone to put all of it right; why there is none, otherwise."""
    effects = now.effects if now else None
    if now is None or effects is None:
        return ""
    first = {misfit.migration for misfit in wrong}
    if missing := [misfit for misfit in wrong if misfit.migration not in effects]:
        return "" if not missing[0].migration else f"{missing[0].migration} is in no image that was asked"
    undone = [name for name in effects if name in _with_descendants(first, effects) and name in now.applied]
    for name in undone:
        if not effects[name].reversible:
            return f"{name} has no way back"
    losses, empty = _lost(then, now, [effects[name] for name in reversed(undone)])
    if empty:
        return f"undone, {empty} would come back empty"
    if narrow := _narrowed(then, now, [effects[name] for name in undone]):
        return f"undone, what is in {narrow} might not fit any more"
    return Way(tuple(reversed(undone)), losses)


def _did(effect: Effect, misfit: Misfit) -> bool:
    """Whether an effect is what a misfit is about; one that adds or changes a table counts for each of its columns."""
    if effect.table != misfit.table:
        return (
            effect.does == "rename" and not effect.column and effect.to == misfit.table and misfit.id != "release.E330"
        )
    if misfit.id == "release.E330":
        return effect.does in ("drop", "rename") and effect.column in (None, misfit.column)
    if effect.does == "rename":
        return effect.to == misfit.column and misfit.id == "release.E331"
    return effect.does in ("create", "alter", "constrain") and (
        effect.column is None or misfit.column is None or effect.column == misfit.column
    )


def _stands_for(name: str, since: Sequence[str], now: Database) -> bool:
    """Whether it is a squash of some of them."""
    app, _, label = name.partition(".")
    return bool(set(now.known.get(app, {}).get(label, ())) & set(since))


def _with_descendants(names: set[str], effects: dict[str, Migration]) -> set[str]:
    """`effects` is in the order of the graph: parents come first."""
    found = set(names)
    for name, migration in effects.items():
        if found & set(migration.parents):
            found.add(name)
    return found


def _lost(then: Database, now: Database, undone: Sequence[Migration]) -> tuple[tuple[str, ...], str]:
    """What goes with the undoing, and the first thing that the earlier release reads and that would not be there, or
    come back empty. Effects are followed backwards, under the names that they leave behind.
    """
    gone: set[Place] = set()
    losses: list[Place] = []
    for migration in undone:
        for effect in reversed(migration.effects):
            place = (effect.table, effect.column)
            kept = _there(now, place) or place in now.aside or _computed(then, place)
            there = effect.does == "drop" and kept
            if effect.does == "create":
                losses.append(place)
            if effect.does == "create" or (effect.does == "drop" and not there):
                gone = {each for each in gone if not _within(each, place)} | {place}
            elif effect.does == "rename":
                gone = {_renamed(each, effect) for each in gone if not _within(each, place)}
    read = [
        (table, column)
        for table, column in sorted(gone, key=str)
        if table in then.wanted and (column is None or column in then.wanted[table].columns)
    ]
    return tuple(_told(place) for place in losses if _there(now, place)), _told(read[0]) if read else ""


def _narrowed(then: Database, now: Database, undone: Sequence[Migration]) -> str:
    """The first column whose values would have to fit into another type again; what does not fit fails, or is cut."""
    for effect in (effect for migration in undone for effect in migration.effects if effect.does == "alter"):
        wanted = then.wanted[effect.table].columns.get(effect.column or "") if effect.table in then.wanted else None
        table = (now.live or {}).get(effect.table)
        there = table.columns.get(effect.column or "") if table else None
        if wanted and there and fit(there.type, wanted.type) != GOOD:
            return _told((effect.table, effect.column))
        if _led(then, effect) and _led(now, effect) and _led(then, effect) != _led(now, effect):
            return _told((effect.table, effect.column))
    return ""


def _led(database: Database, effect: Effect) -> set[str | None]:
    """Where the foreign keys of a column lead, to tables that are not called otherwise since."""
    table = (database.live or {}).get(effect.table)
    return {
        each.references
        for each in (table.constraints.values() if table else ())
        if each.kind == "foreign" and each.columns == (effect.column,)
    }


def _within(place: Place, other: Place) -> bool:
    return place[0] == other[0] and other[1] in (None, place[1])


def _there(now: Database, place: Place) -> bool:
    """Whether what a migration dropped is there all the same: it was faked, or the drop is still to come."""
    table = (now.live or {}).get(place[0])
    return table is not None and (place[1] is None or place[1] in table.columns)


def _computed(then: Database, place: Place) -> bool:
    """Whether the database computes it from what else is there."""
    table = then.wanted.get(place[0])
    column = table.columns.get(place[1]) if table and place[1] else None
    return column is not None and column.generated


def _renamed(place: Place, effect: Effect) -> Place:
    table, column = place
    if effect.column is None:
        return (effect.table, column) if table == effect.to else place
    return (table, effect.column) if place == (effect.table, effect.to) else place


def _told(place: Place) -> str:
    return ".".join(filter(None, place))
