"""What a table holds its rows to now and did not when an earlier release ran: what that release's code runs into.

A constraint is known by what it demands, not by its name. What only columns take part in that the earlier code leaves
out (NULL, or their default) it never breaks, as a rule: the exceptions are below.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from nuages.app.schema import Column, Constraint, Table
from nuages.release.back.misfit import Misfit, Pair, Weight

_COMPARED = re.compile(r'CHECK \(+("[^"]+"|\w+)\)*(::[\w ]+)? (<|<=|>|>=|=|<>) \(*("[^"]+"|\w+)\)*(::[\w ]+)?\)+')
"""Two columns compared, and nothing else."""


def held(pair: Pair) -> Iterator[Misfit]:
    """What a known table holds its rows to now and did not then, and what it no longer does."""
    name, wanted, live, earlier = pair.name, pair.wanted, pair.live, pair.earlier
    if earlier is None:
        return
    before = {_signature(constraint) for constraint in earlier.constraints.values()}
    for label, constraint in sorted(live.constraints.items()):
        if _signature(constraint) not in before:
            yield from _new(pair, label, constraint, earlier)
    for constraint in earlier.constraints.values():
        columns = set(constraint.columns)
        ours = columns <= wanted.columns.keys() and columns <= live.columns.keys()
        if constraint.kind in ("primary", "unique") and not constraint.text and ours and not _unique(live, columns):
            message = f"several rows of {name} may have the same {_list(constraint)}"
            yield Misfit(weight=Weight.DEGRADES, id="release.W336", message=message, table=name)
        if constraint.kind == "foreign" and ours:
            yield from _turned(pair, constraint)


def _turned(pair: Pair, constraint: Constraint) -> Iterator[Misfit]:
    """A foreign key that leads elsewhere now, or no longer acts by itself (Django's DB_CASCADE and its like)."""
    now = [each for each in pair.live.constraints.values() if each.kind == "foreign"]
    same = [each for each in now if each.columns == constraint.columns]
    column, (target, _, _) = constraint.columns[0], (constraint.references or "").partition(".")
    if same and not any(each.references == constraint.references for each in same) and target in pair.there:
        # Whatever it says there is the key of another row, if of any; a table that was only renamed is told as that.
        message = f"{pair.name}.{column} refers to {same[0].references}, and release {pair.release} expects {target}"
        yield Misfit(weight=Weight.BREAKS, id="release.E332", message=message, table=pair.name, column=column)
    elif same and constraint.on_delete and not any(each.on_delete for each in same):
        message = (
            f"rows of {target} that {pair.name} refers to can't be deleted: the database no longer deletes those too"
        )
        yield Misfit(weight=Weight.DEGRADES, id="release.W336", message=message, table=pair.name)


def _new(pair: Pair, label: str, constraint: Constraint, earlier: Table) -> Iterator[Misfit]:
    name, wanted, live, tables = pair.name, pair.wanted, pair.live, pair.tables
    left = {column: there for column, there in live.columns.items() if column not in wanted.columns}
    unknown = [left[column] for column in constraint.columns if column in left]
    degraded = Misfit(weight=Weight.DEGRADES, id="release.W336", message="", table=name)
    if constraint.kind == "foreign":
        yield from _reference(name, constraint, wanted, earlier, tables)
    elif constraint.kind in ("primary", "unique"):
        if not constraint.text and (
            _unique(earlier, set(constraint.columns)) or any(column.null and not column.default for column in unknown)
        ):
            return  # it was so then, or NULL in the column that the old code leaves out is like no other NULL
        if any(_empty(column) and f"({label} IS NOT NULL)" in _condition(constraint) for label, column in left.items()):
            return  # a part of the table in which the old code's rows never are
        alike = "NULLS NOT DISTINCT" in constraint.text and "WHERE" not in constraint.text
        if unknown and len(unknown) == len(constraint.columns) and (alike or not constraint.text):
            if all(column.constant or (alike and _empty(column)) for column in unknown):
                message = f"only one more row of {name} can be added: each gets the same {_list(constraint)}"
                column = constraint.columns[0]
                yield Misfit(weight=Weight.BREAKS, id="release.E331", message=message, table=name, column=column)
            return
        what = f"{_list(constraint)} that is there already" if constraint.columns else f"what {label} refuses"
        yield msgspec.structs.replace(degraded, message=f"rows of {name} with {what} are refused")
    elif constraint.kind in ("check", "exclude"):
        if constraint.columns and len(unknown) == len(constraint.columns):
            # What the old code leaves out is NULL or the default, and NULL passes each check but the one for NULL.
            if "IS NOT NULL" in constraint.text and not all(column.default for column in unknown):
                message = f"rows of {name} without {_list(constraint)} are refused ({label})"
                yield Misfit(
                    weight=Weight.BREAKS,
                    id="release.E331",
                    message=message,
                    table=name,
                    column=constraint.columns[0],
                )
            return
        if any(_empty(column) for column in unknown) and _COMPARED.fullmatch(constraint.text):
            return  # compared with NULL, nothing is refused
        yield msgspec.structs.replace(degraded, message=f"rows of {name} that break {label} are refused")


def _reference(
    name: str, constraint: Constraint, wanted: Table, earlier: Table | None, tables: dict[str, Table]
) -> Iterator[Misfit]:
    target, _, _ = (constraint.references or "").partition(".")
    known = all(column in wanted.columns for column in constraint.columns)
    if known:
        same = [old for old in (earlier.constraints.values() if earlier else ()) if old.columns == constraint.columns]
        if not any(old.kind == "foreign" for old in same):
            message = f"rows of {name} whose {_list(constraint)} is not in {target} are refused"
            yield Misfit(weight=Weight.DEGRADES, id="release.W336", message=message, table=name)
    elif target in tables and not constraint.on_delete:
        message = f"rows of {target} that {name} refers to can't be deleted by code that does not know it"
        yield Misfit(weight=Weight.DEGRADES, id="release.W336", message=message, table=name)


def referring(name: str, there: Table, earlier: Table | None, tables: dict[str, Table]) -> Iterator[Misfit]:
    """What a table that the earlier release does not know refers to in one that it does, and did not then."""
    before = {_signature(constraint) for constraint in earlier.constraints.values()} if earlier else set()
    for constraint in there.constraints.values():
        if constraint.kind == "foreign" and _signature(constraint) not in before:
            yield from _reference(name, constraint, Table(columns={}), None, tables)


def _empty(column: Column) -> bool:
    """Whether rows of code that leaves it out have NULL there."""
    return column.null and not column.default and not column.generated


def _condition(constraint: Constraint) -> str:
    """Of a part of a table, where all of several things hold; "" where it may be one of them."""
    _, _, condition = constraint.text.partition(" WHERE ")
    return "" if re.search(r"\b(OR|NOT \(|CASE)\b", condition) else condition.replace('"', "")


def _unique(table: Table, columns: set[str]) -> bool:
    """Whether no two rows have the same of these columns."""
    return any(
        constraint.kind in ("primary", "unique") and not constraint.text and set(constraint.columns) <= columns
        for constraint in table.constraints.values()
    )


def _signature(constraint: Constraint) -> tuple[object, ...]:
    """What makes two constraints the same, whatever they are called."""
    kind = "unique" if constraint.kind == "primary" else constraint.kind
    return kind, constraint.columns, constraint.references, constraint.text


def _list(constraint: Constraint) -> str:
    return ", ".join(constraint.columns)
