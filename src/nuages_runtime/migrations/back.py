"""The way back: an operation that is still held back is undone by what relaxed the schema for it, and has lost nothing.
One that was done is reversed as Django does it; what it took away comes back from where it was put aside.
"""

# Django is the image's, and is imported when there are settings to import it with.
# ruff: noqa: PLC0415
# mypy: disable-error-code=import-not-found

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nuages_runtime.migrations import aside, editor, forms
from nuages_runtime.migrations.journal import SOON, Entry
from nuages_runtime.migrations.leaves import Leaf, is_code, leaves

if TYPE_CHECKING:
    from nuages_runtime.migrations.stages import Stage

REFUSED = ("23502", "23503", "23505", "23514", "23P01")
"""SQLSTATEs of rows that violate what is demanded: not null, foreign key, unique, check, exclusion."""


def written(entry: Entry, undo: list[str], table: str = "", column: str = "") -> Entry:
    """An entry with what it takes away and its undo statements, kept as JSON in the order in which they run."""
    return replace(entry, undo=json.dumps(undo) if undo else "", table_name=table, column_name=column)


def unapply(stage: Stage, migration: Any) -> Callable[..., Any]:
    """Migration.unapply that asks the journal first."""

    def run(state: Any, schema_editor: Any, collect_sql: bool = False) -> Any:
        if collect_sql:
            return type(migration).unapply(migration, state, schema_editor, collect_sql)
        written = [
            entry
            for entry in stage.journal.all()
            if (entry.app, entry.migration) == (migration.app_label, migration.name) and entry.kind != "aside"
        ]
        # What comes after an operation is one state, which the next one changes.
        todo = [leaf._replace(after=leaf.after.clone()) for leaf in leaves(migration, state.clone())]
        _reversible(migration, todo, written)
        for leaf in reversed(todo):
            mine = [entry for entry in written if entry.operation == leaf.place]
            _backwards(stage, migration, leaf, mine, schema_editor)
        for sql in schema_editor.deferred_sql:
            schema_editor.run(str(sql))
        schema_editor.deferred_sql.clear()
        return state

    return run


def _held(mine: list[Entry]) -> bool:
    """Whether an operation's own work was left for later, and some of it still is; undo statements may run twice."""
    return any(entry.done is None for entry in mine if entry.kind in {"contract", "backfill", "data"})


def _reversible(migration: Any, todo: list[Leaf], written: list[Entry]) -> None:
    from django.db.migrations.exceptions import IrreversibleError

    for leaf in todo:
        mine = [entry for entry in written if entry.operation == leaf.place]
        if not leaf.operation.reversible and not _held(mine):
            raise IrreversibleError(f"Operation {leaf.operation} in {migration} is not reversible")


def _backwards(stage: Stage, migration: Any, leaf: Leaf, mine: list[Entry], schema_editor: Any) -> None:
    """One operation, backwards."""
    stage.mode.operation = leaf.place
    if _held(mine):
        for entry in reversed(mine):
            for sql in undo_of(entry):
                _demand(stage, sql)
            stage.journal.forget(entry)
        return
    taken = [entry for entry in mine if entry.kind == "contract" and entry.table_name and entry.done]
    tables = [entry for entry in taken if not entry.column_name]
    if tables and all(aside.table_back(stage.journal, entry) for entry in tables):
        stage.log.say(f"{migration.app_label}.{migration.name}: {leaf.operation.describe()}: put back with its rows")
    else:
        for entry in mine:
            if entry.kind in SOON and entry.done is None:
                for sql in undo_of(entry):
                    _demand(stage, sql)
        kept = [entry for entry in taken if entry.column_name and aside.there(stage.journal, entry)]
        if kept:
            _filled(stage, migration, leaf, kept, schema_editor)
        else:
            _reverse(stage, editor.LITERAL if is_code(leaf.operation) else editor.PLAIN, migration, leaf, schema_editor)
    for entry in mine:
        if entry in tables:
            for sql in undo_of(entry):
                _demand(stage, sql)
        stage.journal.forget(entry)


def _reverse(stage: Stage, mode: str, migration: Any, leaf: Leaf, schema_editor: Any) -> None:
    """As Django does it."""
    stage.mode.name, stage.mode.kept = mode, []
    try:
        leaf.operation.database_backwards(migration.app_label, schema_editor, leaf.after, leaf.before)
    finally:
        stage.mode.name = editor.PLAIN
    if mode == editor.PLAIN:
        _count_on(migration, leaf, schema_editor)


def _count_on(migration: Any, leaf: Leaf, schema_editor: Any) -> None:
    """A key that is counted again goes on where its rows end; Django begins at 1 (BaseDatabaseSchemaEditor)."""
    from django.core.management.color import no_style
    from django.db.migrations import AlterField
    from django.db.models import AutoField

    if not isinstance(leaf.operation, AlterField):
        return
    before, after = (state.apps.get_model(migration.app_label, leaf.operation.model_name) for state in leaf[2:4])
    was, becomes = (model._meta.get_field(leaf.operation.name) for model in (after, before))
    if isinstance(becomes, AutoField) and not isinstance(was, AutoField):
        for sql in schema_editor.connection.ops.sequence_reset_sql(no_style(), [before]):
            schema_editor.run(sql)


def _filled(stage: Stage, migration: Any, leaf: Leaf, kept: list[Entry], schema_editor: Any) -> None:
    """As Django does it, but the column is filled with what it held before it is NOT NULL, for which it may have no
    default.
    """
    _reverse(stage, editor.KEPT, migration, leaf, schema_editor)
    demands = []
    for text in [*stage.mode.kept, *map(str, schema_editor.deferred_sql)]:
        nullable = forms.nullable(text)
        schema_editor.run(nullable.sql if nullable else text)
        demands += [nullable.demand] if nullable else []
    schema_editor.deferred_sql.clear()
    for entry in kept:
        aside.column_back(stage.journal, entry)
    schema_editor.run("SET CONSTRAINTS ALL IMMEDIATE")
    for sql in demands:
        _demand(stage, sql)


def undo_of(entry: Entry) -> list[str]:
    """The statements that undo an entry."""
    if not entry.undo:
        return []
    return list(json.loads(entry.undo)) if entry.undo.startswith("[") else [entry.undo]


def _demand(stage: Stage, sql: str) -> None:
    """Demand of a table again what was relaxed; what rows written meanwhile violate stays relaxed, and is said."""
    from django.db import DatabaseError, transaction

    from nuages_runtime.migrations.waits import state

    try:
        with transaction.atomic(stage.connection.alias), stage.connection.cursor() as cursor:
            if forms.referred(sql):
                cursor.execute(f"{sql} NOT VALID")
            else:
                cursor.execute(sql)
    except DatabaseError as error:
        if state(error) not in REFUSED:
            raise
        stage.log.say(f"left relaxed, as rows that were written meanwhile violate it: {sql}")
        return
    if forms.referred(sql) and (added := forms.added_constraint(sql)):
        where, name = forms.quoted(added.table), forms.quoted(added.name)
        _demand(stage, f"ALTER TABLE {where} VALIDATE CONSTRAINT {name}")


def put_aside(stage: Stage, schema_editor: Any, text: str) -> bool:
    """Put aside what a statement drops, then drop it; False where it drops nothing that others could miss."""
    table = forms.dropped_table(text)
    column = forms.dropped_column(text)
    if (not table and not column) or (table or (column.table if column else "")) in stage.mode.made:
        return False
    app, _, name = stage.migration.partition(".")
    entry = Entry(
        release=stage.release,
        app=app,
        migration=name,
        operation=stage.mode.operation,
        kind="contract",
        text=text,
        sql=text,
        form=forms.DROP,
        table_name=table or (column.table if column else ""),
        column_name=column.column if column else "",
    )
    entry = stage.journal.add(entry)
    stage.mode.on(text)
    if column:
        aside.column(stage.journal, entry)
        schema_editor.run(text)
    else:
        aside.table(stage.journal, entry)
    if stage.backwards:
        # Not what the migration takes away, but what it made: it will make it anew.
        stage.journal.forget(entry)
    else:
        stage.journal.finish(entry)
    return True
