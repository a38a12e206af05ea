"""What an earlier release's code reads and writes (W) against the tables as they are (D): each misfit by name.

Reads: all of W is in D, with types that do. Writes: what is in D and not in W may be left out. What D holds its rows to
and did not then (holds.py) degrades: some rows can't be written or deleted by code that knows nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterator

from nuages.app.schema import Column, Database
from nuages.release.back import holds
from nuages.release.back.misfit import Misfit, Pair, Weight
from nuages.release.back.types import fit


def misfits(then: Database, now: Database, release: int) -> Iterator[Misfit]:
    """All of them, for one database whose tables were looked at."""
    live, earlier = now.live or {}, then.live or {}
    for name, table in sorted(then.wanted.items()):
        if name not in live:
            # Another system's table that was missing then is missed by nobody.
            if table.managed or name in earlier:
                yield _gone(name, None, release)
            continue
        pair = Pair(name, release, table, live[name], earlier.get(name), then.wanted, live)
        yield from _columns(pair)
        yield from holds.held(pair)
    for name, there in sorted(live.items()):
        if name not in then.wanted:
            yield from holds.referring(name, there, earlier.get(name), then.wanted)


def _gone(table: str, column: str | None, release: int) -> Misfit:
    place = f"{table}.{column}" if column else table
    message = f"{place}, which release {release} reads, is not there"
    return Misfit(weight=Weight.BREAKS, id="release.E330", message=message, table=table, column=column)


def _columns(pair: Pair) -> Iterator[Misfit]:
    name, release, wanted, live = pair[:4]
    was = pair.earlier.columns if pair.earlier else {}
    for label, column in wanted.columns.items():
        there = live.columns.get(label)
        if there is None:
            yield _gone(name, label, release)
        elif there != was.get(label):
            yield from _column(pair, label, column, there)
    for label, there in live.columns.items():
        if label not in wanted.columns and _demanded(there) and not (label in was and _demanded(was[label])):
            yield Misfit(
                weight=Weight.BREAKS,
                id="release.E331",
                message=f"release {release} can't add rows to {name}: {label} must be given, and it does not know it",
                table=name,
                column=label,
                hint=f"ALTER TABLE {name} ALTER COLUMN {label} DROP NOT NULL, and its rows go in without it",
            )


def _demanded(column: Column) -> bool:
    return not (column.null or column.default or column.generated)


def _column(pair: Pair, label: str, wanted: Column, there: Column) -> Iterator[Misfit]:
    table, release = pair[:2]
    was = pair.earlier.columns.get(label) if pair.earlier else None

    def misfit(weight: Weight, id: str, message: str) -> Misfit:  # noqa: A002 - a finding's
        return Misfit(weight=weight, id=id, message=message, table=table, column=label)

    place, fitting = f"{table}.{label}", fit(wanted.type, there.type)
    if fitting.works is not True:
        message = f"{place} is {there.type}, and release {release} expects {wanted.type}"
        yield misfit(Weight.BREAKS if fitting.works is False else Weight.HIDES, "release.E332", message)
    elif fitting.how and not (was and was.type == there.type):
        yield misfit(Weight.DEGRADES, "release.W334", f"{place} is {there.type}, not {wanted.type}: {fitting.how}")
    if there.generated and not wanted.generated:
        message = f"{place} is computed by the database, and release {release} writes it"
        yield misfit(Weight.BREAKS, "release.E331", message)
    elif (wanted.default or wanted.generated) and not (there.default or there.generated):
        if there.null:
            yield misfit(
                Weight.DEGRADES, "release.W335", f"{place} is left empty in new rows: it has no default any more"
            )
        else:
            message = (
                f"release {release} can't add rows to {table}: it leaves {label} to the database, which has no default"
            )
            yield misfit(Weight.BREAKS, "release.E331", message)
    if wanted.null and not there.null and not (was and not was.null):
        yield misfit(Weight.DEGRADES, "release.W335", f"rows without {place} are refused: it is NOT NULL")
    if there.null and not wanted.null and not (was and was.null):
        message = f"{place} may be NULL in rows written since, which release {release} does not expect"
        yield misfit(Weight.DEGRADES, "release.W334", message)
