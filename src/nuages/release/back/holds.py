"""What a table holds its rows to now and did not when an earlier release ran: what that release's code runs into.

A constraint is known by what it demands, not by its name. What only columns take part in that the earlier code leaves
out (NULL, or their default) it never breaks, as a rule: the exceptions are below.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from nuages.app.schema import Constraint, Table
from nuages.release.back.misfit import Misfit, Pair, Weight


def held(pair: Pair) -> Iterator[Misfit]:
    """What a known table holds its rows to now and did not then, and what it no longer does."""
    name, _, wanted, live, earlier, _ = pair
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


def _new(pair: Pair, label: str, constraint: Constraint, earlier: Table) -> Iterator[Misfit]:
    name, _, wanted, live, _, tables = pair
    unknown = [live.columns[column] for column in constraint.columns if column not in wanted.columns]
    degraded = Misfit(weight=Weight.DEGRADES, id="release.W336", message="", table=name)
    if constraint.kind == "foreign":
        yield from _reference(name, constraint, wanted, earlier, tables)
    elif constraint.kind in ("primary", "unique"):
        if not constraint.text and (
            _unique(earlier, set(constraint.columns)) or any(column.null and not column.default for column in unknown)
        ):
            return  # it was so then, or NULL in the column that the old code leaves out is like no other NULL
        if unknown and len(unknown) == len(constraint.columns) and not constraint.text:
            if all(column.constant for column in unknown):
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
