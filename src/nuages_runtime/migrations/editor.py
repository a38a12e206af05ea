"""The schema editor of the Job's process: Django's own, of whatever PostgreSQL backend the project has, with each
statement on its way to the database held against what the operation under way may do.

| mode | while | statements |
|---|---|---|
| PLAIN | nothing runs that could notice | as they are; what is dropped is put aside |
| LITERAL | RunSQL, RunPython | as they are |
| SAFE | an operation that only adds | quick ones at once, the others after the commit, in the form that blocks nobody |
| KEPT | an operation whose statements are wanted all before any runs | none |
"""

# mypy: disable-error-code=import-not-found

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nuages_runtime.migrations import forms, relax

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

PLAIN, LITERAL, SAFE, KEPT = "plain", "literal", "safe", "kept"


class Mode:
    """What the operation under way may do, and what it left; one for a connection, given to all its editors."""

    def __init__(self, drop: Callable[[Any, str], bool]) -> None:
        """`drop` puts aside what a statement drops, and drops it; False where the statement drops nothing."""
        self.name = PLAIN
        self.operation = 0
        self.kept: list[str] = []
        """The statements of an operation in mode KEPT."""
        self.fills: dict[tuple[str, str], str | None] = {}
        """Per column that goes: a default that old code can read, as SQL."""
        self.defaults: list[str] = []
        """Statements that would drop the default that old code's INSERTs need."""
        self.made: set[str] = set()
        """Tables that this process has made: nobody else knows them yet."""
        self.origin: dict[int, int] = {}
        """Of each deferred statement (its id) the operation that it is of."""
        self.drop = drop
        self.on: Callable[[str], None] = lambda _: None
        """Told each statement before it runs."""


def made_for(connection: BaseDatabaseWrapper, mode: Mode, *, beside: bool) -> type[Any]:
    """The class of a connection's editors.

    Args:
        connection: whose own class it builds on.
        mode: what its editors ask.
        beside: whether code runs beside the migrations: then no column comes with a foreign key in one statement.
    """
    base: Any = connection.SchemaEditorClass

    class Editor(base):  # type: ignore[misc]
        """See the module."""

        _field: Any = None

        def execute(self, sql: Any, params: Any = ()) -> Any:
            if self.collect_sql:
                return super().execute(sql, params)
            if mode.name == LITERAL and params:
                # Its parameters are data: they are not told.
                mode.on(str(sql))
                super().execute(sql, params)
                return None
            text = str(sql) if params is None else str(self.connection.ops.compose_sql(str(sql), params))
            if table := forms.created_table(text):
                mode.made.add(table)
            if mode.name == KEPT:
                mode.kept.append(text)
            elif mode.name == SAFE:
                self._safely(text, sql if params is None else text)
            elif not (mode.name == PLAIN and mode.drop(self, text)):
                self.run(text)
            return None

        def run(self, text: str) -> None:
            """One statement as it is."""
            mode.on(text)
            super().execute(text, None)

        def _safely(self, text: str, sql: Any) -> None:
            dropped = forms.dropped_constraint(text)
            name = dropped.name if dropped else forms.dropped_index(text)
            if name and self._forget(name):
                return
            if renamed := forms.renamed_index(text):
                self._rename(*renamed)
            table = forms.about(text)
            refers = forms.referred(text)
            if table in mode.made and (not refers or refers in mode.made):
                if not mode.drop(self, text):
                    self.run(text)
            elif self._field is not None and _drops_default(text, table, self._field.column):
                mode.defaults.append(text)
            elif forms.safe(text).after:
                self.defer(sql)
            elif self._field is not None and text.startswith("ALTER TABLE") and " ADD COLUMN " in text:
                check = self._field.db_parameters(self.connection)["check"] or ""
                first, *others = forms.add_column(text, unique=self._field.unique, check=check)
                self.run(first)
                for other in others:
                    self.defer(other)
            elif not mode.drop(self, text):
                self.run(text)

        def defer(self, sql: Any) -> None:
            """Keep a statement until the operations of this migration are done."""
            self.deferred_sql.append(sql)
            mode.origin[id(sql)] = mode.operation

        def _forget(self, name: str) -> bool:
            """What is dropped before it was made is not made."""
            others = [sql for sql in self.deferred_sql if forms.made_name(str(sql)) != name]
            found = len(others) < len(self.deferred_sql)
            self.deferred_sql[:] = others
            return found

        def _rename(self, old: str, new: str) -> None:
            for place, sql in enumerate(self.deferred_sql):
                if forms.made_name(str(sql)) == forms.plain(old):
                    text = str(sql).replace(old, new, 1)
                    mode.origin[id(text)] = mode.origin.get(id(sql), mode.operation)
                    self.deferred_sql[place] = text

        def add_field(self, model: Any, field: Any) -> None:
            self._field = field
            try:
                super().add_field(model, field)
            finally:
                self._field = None

        def remove_field(self, model: Any, field: Any) -> None:
            if mode.name == KEPT and field.column:
                mode.fills[model._meta.db_table, field.column] = relax.fill(self, field)
            super().remove_field(model, field)

    if beside:
        Editor.sql_create_column_inline_fk = None
    Editor.__name__ = base.__name__
    return Editor


def _drops_default(text: str, table: str, column: str) -> bool:
    found = forms.altered_column(text)
    return bool(found and (found.table, found.column) == (table, column) and found.change.upper() == "DROP DEFAULT")
