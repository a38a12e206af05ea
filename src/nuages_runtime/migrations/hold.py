"""An operation that takes something away or tightens it, statement by statement: what is done now, what is left for
when no old code runs. Pure but for what `Look` asks of the catalogue.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple, Protocol

from nuages_runtime.migrations import forms, types
from nuages_runtime.migrations.forms import Step, quoted
from nuages_runtime.migrations.relax import Relaxed


class Look(Protocol):
    """What is asked of the database as it is."""

    def relaxed_column(self, table: str, column: str, fill: str | None) -> list[Relaxed]:
        """relax.column"""

    def relaxed_table(self, table: str) -> list[Relaxed]:
        """relax.foreign"""

    def type_of(self, table: str, column: str) -> str:
        """A column's type, as the database writes it."""

    def constraint(self, table: str, name: str) -> str:
        """A constraint's definition; "" where there is none."""

    def waits(self, table: str, name: str) -> bool:
        """Whether an earlier operation that is held back is about that column, constraint or index of the table."""

    def on_delete(self, table: str, name: str) -> str:
        """What a foreign key does itself when the row goes that it refers to: PostgreSQL's letter; "" without it."""


class Later(NamedTuple):
    """One statement for the contract, with what it takes away."""

    step: Step
    table: str = ""
    column: str = ""


class Held(NamedTuple):
    """What becomes of the statements of one operation."""

    now: list[str]
    """Run at once, in the migration's transaction."""
    soon: list[str]
    """Run at the migration's end, in the form that blocks nobody."""
    later: list[Later]
    undo: list[str]
    """What makes `now` undone."""


def hold(statements: list[str], fills: Mapping[tuple[str, str], str | None], look: Look) -> Held:
    """Divide the statements of one operation."""
    held = Held([], [], [], [])
    rest = without_pairs(statements, look.on_delete)
    dropped = {found.name for text in rest if (found := forms.dropped_constraint(text))}
    for text in rest:
        _one(text, fills, look, dropped, held)
    return held


def _one(text: str, fills: Mapping[tuple[str, str], str | None], look: Look, dropped: set[str], held: Held) -> None:
    if table := forms.dropped_table(text):
        _relax(look.relaxed_table(table), held, dropped)
        held.later.append(Later(Step("contract", text, form=forms.DROP), table))
    elif gone := forms.dropped_column(text):
        _relax(look.relaxed_column(gone.table, gone.column, fills.get((gone.table, gone.column))), held, dropped)
        held.later.append(Later(Step("contract", text, form=forms.DROP), gone.table, gone.column))
    elif (after := _named(text)) and look.waits(after.table, after.name):
        # It follows another that is still to come: both are done then, one after the other.
        held.later.extend(Later(step._replace(kind="contract")) for step in _steps(text))
    elif ended := forms.dropped_constraint(text):
        definition = look.constraint(ended.table, ended.name).removesuffix(" NOT VALID")
        again = f"ALTER TABLE {quoted(ended.table)} ADD CONSTRAINT {quoted(ended.name)} {definition}"
        _relax([Relaxed(text, again if definition else "")], held)
    elif column := forms.altered_column(text):
        _column(text, column, look, held)
    elif added := forms.added_constraint(text):
        if forms.referred(text) and added.name in dropped:
            held.soon.append(text)
        else:
            held.later.extend(Later(step._replace(kind="contract")) for step in forms.safe(text).after)
    elif steps := forms.safe(text).after:
        plain_index = text.upper().startswith("CREATE INDEX")
        if plain_index:
            held.soon.append(text)
        else:
            held.later.extend(Later(step._replace(kind="contract")) for step in steps)
    else:
        held.later.append(Later(Step("contract", text)))


def _named(text: str) -> forms.Named | None:
    """Table, and the name of the constraint, index or column that a statement is about."""
    if column := forms.altered_column(text):
        return forms.Named(column.table, name=column.column)
    if name := forms.made_name(text):
        return forms.Named(forms.about(text), name=name)
    return forms.dropped_constraint(text)


def _steps(text: str) -> tuple[Step, ...]:
    found = forms.safe(text)
    return found.after or (Step("contract", found.now),)


def _column(text: str, found: forms.Named, look: Look, held: Held) -> None:
    change = found.change.upper().strip()
    alter = f"ALTER TABLE {quoted(found.table)} ALTER COLUMN {quoted(found.column)}"
    if change == "DROP NOT NULL":
        _relax([Relaxed(text, f"{alter} SET NOT NULL")], held)
    elif change == "SET NOT NULL":
        first, *others = (Later(step._replace(kind="contract")) for step in _not_null(found))
        # The rows without a value are filled when no more of them can come.
        fills = [each for each in held.later if each.step.form == forms.BATCHES and _fills(each.step, found)]
        held.later[:] = [each for each in held.later if each not in fills] + [first, *fills, *others]
    elif change.startswith("SET DEFAULT"):
        _relax([Relaxed(text, f"{alter} DROP DEFAULT")], held)
    elif change.startswith("TYPE "):
        old, new = look.type_of(found.table, found.column), found.change[5:].split(" USING ")[0].strip()
        if types.change(old, new) in (types.SAME, types.WIDER):
            held.now.append(text)
        else:
            held.later.append(Later(Step("contract", text, form=forms.SHRINK)))
    else:
        held.later.append(Later(Step("contract", text)))


def _not_null(found: forms.Named) -> list[Step]:
    return forms.not_null(quoted(found.table), quoted(found.column))


def _fills(step: Step, found: forms.Named) -> bool:
    return forms.about(step.sql) == found.table and f" WHERE {quoted(found.column)} IS NULL" in step.sql


def _relax(relaxed: list[Relaxed], held: Held, dropped: Collection[str] = ()) -> None:
    """Take over what relaxes; what Django drops itself, on its way to the column, is not dropped twice."""
    for each in relaxed:
        found = forms.dropped_constraint(each.sql)
        if not found or found.name not in dropped:
            held.now.append(each.sql)
            held.undo.extend([each.undo] if each.undo else [])


def without_pairs(statements: list[str], on_delete: Callable[[str, str], str]) -> list[str]:
    """The statements without those that end where they began.

    Django drops the foreign key of a column it changes, and makes it again; and it sets a default for as long as it
    fills the column.
    """
    made = {
        (found.table, found.name): text for text in statements if (found := forms.added_constraint(text)) is not None
    }
    gone: set[str] = set()
    defaults: dict[tuple[str, str], str] = {}
    for text in statements:
        found = forms.dropped_constraint(text)
        again = made.get((found.table, found.name), "") if found else ""
        # Before Django 6.1 no foreign key does anything by itself.
        same = forms.referred(again) and " ON DELETE " not in again.upper()
        if found and same and on_delete(found.table, found.name) in {"a", "r"}:
            gone |= {text, again}
        column = forms.altered_column(text)
        if column and column.change.upper().startswith("SET DEFAULT"):
            defaults[column.table, column.column] = text
        elif column and column.change.upper() == "DROP DEFAULT" and (column.table, column.column) in defaults:
            gone |= {text, defaults[column.table, column.column]}
    return [text for text in statements if text not in gone]
