"""Entries of the journal, run one by one, each in its form and each so that a kill leaves nothing to be done twice.

A statement and the mark that it is done are one transaction wherever PostgreSQL allows it; an index that is built
concurrently is looked at first: valid is done, invalid is dropped and built anew.
"""

# Django is the image's, and is imported when there are settings to import it with.
# ruff: noqa: PLC0415
# mypy: disable-error-code=import-not-found

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nuages_runtime.migrations import aside, forms, waits
from nuages_runtime.migrations.events import Log, shown
from nuages_runtime.migrations.forms import quoted
from nuages_runtime.migrations.journal import SOON, Entry, Journal
from nuages_runtime.migrations.judged import SMALL
from nuages_runtime.migrations.leaves import is_code, leaves

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

_INDEX = """
    SELECT i.indisvalid, i.indexrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE i.indrelid = to_regclass(%s) AND c.relname = %s
"""
PAGES = 200
"""Pages of a table (8 KB each) that one batch updates: some ten thousand narrow rows, in about 50 ms."""


class UnknownMigration(Exception):
    """The image has not the code that an entry needs."""


class Steps:
    """Runs entries on one connection, in autocommit."""

    def __init__(self, connection: BaseDatabaseWrapper, journal: Journal, log: Log, patience: float) -> None:
        """`patience`: seconds for which a lock is asked for again and again."""
        self._connection, self._journal, self._log, self.patience = connection, journal, log, patience
        self.migration = ""
        self.statement = ""
        self.literally: Callable[[], None] = lambda: None
        """Called before code of a migration runs: its statements are its own."""

    def run(self, entry: Entry) -> None:
        """Do one and mark it; raises what the database says."""
        self.migration, self.statement = entry.name, shown(entry.sql or entry.text)
        self._log.tell("step", migration=entry.name, statement=self.statement, kind=entry.kind)
        begun = time.monotonic()
        {
            forms.TRANSACTION: self._transaction,
            forms.SLOW: self._slow,
            forms.CONCURRENT: self._concurrent,
            forms.BATCHES: self._batches,
            forms.PYTHON: self._python,
            forms.DROP: self._drop,
            forms.SHRINK: self._shrink,
        }[entry.form](entry)
        taken = round(time.monotonic() - begun, 3)
        self._log.tell("step", migration=entry.name, statement=self.statement, kind=entry.kind, seconds=taken)
        self.migration = self.statement = ""

    def attempt(self, attempt: Callable[[], Any], migration: str = "", table: Callable[[], str] = str) -> Any:
        """Try until the lock is there; who holds it is told before each pause."""

        def told(seconds: float) -> None:
            self._log.statement = ""  # it is tried again
            held = waits.holder(self._connection, table())
            reason = held or "a lock was not to be had in time"
            self._log.tell("waiting", migration=migration or self.migration, reason=reason, seconds=round(seconds, 1))

        return waits.again(attempt, self.patience, told)

    def _transaction(self, entry: Entry) -> None:
        whole = bool(forms.referred(entry.sql)) and self._partitioned(forms.about(entry.sql))
        self._done_with(entry, [entry.sql.removesuffix(" NOT VALID") if whole else entry.sql])

    def _slow(self, entry: Entry) -> None:
        with waits.unlimited(self._connection):
            self._done_with(entry, [entry.sql])

    def _done_with(self, entry: Entry, statements: list[str]) -> None:
        def once() -> None:
            with self._atomic():
                for sql in statements:
                    self._execute(sql)
                self._finish(entry)

        self.attempt(once, table=lambda: forms.about(entry.sql))

    def _concurrent(self, entry: Entry) -> None:
        name, table = forms.made_name(entry.sql), forms.about(entry.sql)
        if name and self._partitioned(table):
            self._log.tell("note", message=f"{entry.name}: {table} has partitions: who writes to it waits for {name}")
            self._done_with(entry, [entry.sql.replace(" CONCURRENTLY ", " IF NOT EXISTS ", 1)])
            return
        with waits.unlimited(self._connection):
            valid, its = self._valid(name, table)
            if valid is False:
                self._execute(f"DROP INDEX CONCURRENTLY IF EXISTS {its}")
            if not valid:
                try:
                    self._execute(entry.sql)
                except Exception:
                    # What it left is not only useless: it slows down each write.
                    valid, its = self._valid(name, table)
                    if valid is False:
                        self._execute(f"DROP INDEX CONCURRENTLY IF EXISTS {its}")
                    raise
        self._finish(entry)

    def _valid(self, name: str, table: str) -> tuple[bool | None, str]:
        """Whether an index of a table is, and its name in SQL; None where there is none."""
        with self._connection.cursor() as cursor:
            cursor.execute(_INDEX, [quoted(table), name])
            row = cursor.fetchone()
        return (bool(row[0]), str(row[1])) if row and name else (None, "")

    def _partitioned(self, table: str) -> bool:
        """Whether a table has partitions: for these PostgreSQL has nothing that is done beside others or afterwards."""
        with self._connection.cursor() as cursor:
            cursor.execute("SELECT relkind = 'p' FROM pg_class WHERE oid = to_regclass(%s)", [quoted(table)])
            row = cursor.fetchone()
        return bool(row and row[0])

    def _batches(self, entry: Entry) -> None:
        """Page by page, each batch its own transaction: an update that is done twice finds nothing to do."""
        table = quoted(forms.about(entry.sql))
        size = "SELECT pg_relation_size(to_regclass(%s)) / current_setting('block_size')::bigint"
        with self._connection.cursor() as cursor:
            cursor.execute(size, [table])
            pages = int(cursor.fetchone()[0] or 0)
        for page in range(0, pages, PAGES):
            some = f" AND ctid >= '({page},0)'::tid AND ctid < '({page + PAGES},0)'::tid"

            def once(some: str = some) -> None:
                with self._atomic():
                    self._execute(entry.sql + some)

            self.attempt(once, table=lambda: forms.about(entry.sql))
        self._transaction(entry)

    def _drop(self, entry: Entry) -> None:
        if entry.column_name:
            with waits.unlimited(self._connection), self._atomic():
                aside.column(self._journal, entry)
            self._done_with(entry, [entry.sql.replace(" DROP COLUMN ", " DROP COLUMN IF EXISTS ", 1)])
            return

        def once() -> None:
            with self._atomic():
                aside.table(self._journal, entry)
                self._finish(entry)

        self.attempt(once, table=lambda: entry.table_name)

    def _shrink(self, entry: Entry) -> None:
        """A narrower type means a new table: where that takes long, the column stays as wide as it is."""
        table = forms.about(entry.sql)
        with self._connection.cursor() as cursor:
            cursor.execute("SELECT pg_total_relation_size(to_regclass(%s))", [quoted(table)])
            size = int(cursor.fetchone()[0] or 0)
        if size < SMALL:
            self._transaction(entry)
            return
        note = f"left as it is: it would rewrite {size // 1024**2} MB of {table} while everybody waits"
        self._log.tell("note", message=f"{entry.name}: {entry.text}: {note}")
        self._journal.finish(entry, note)

    def _python(self, entry: Entry) -> None:
        """The operation itself, with the states of its place in the history."""
        from django.db.migrations.loader import MigrationLoader

        loader = MigrationLoader(self._connection)
        key = (entry.app, entry.migration)
        if key not in loader.graph.nodes or (migration := loader.disk_migrations.get(key)) is None:
            raise UnknownMigration(f"{entry.name} is not in this image, and {entry.text} is still to be run")
        state = loader.project_state(key, at_end=False)
        leaf = next((found for found in leaves(migration, state) if found.place == entry.operation), None)
        if leaf is None or not is_code(leaf.operation):
            # Whoever mended the migration took it out.
            self._log.tell("note", message=f"{entry.name} has no such operation any more, it is not run: {entry.text}")
            self._finish(entry)
            return
        self.literally()
        # A transaction of its own also where a RunSQL has none by itself but its migration has.
        with self._connection.schema_editor(atomic=leaf.atomic) as editor:
            leaf.operation.database_forwards(entry.app, editor, leaf.before, leaf.after)
            self._finish(entry)

    def _finish(self, entry: Entry) -> None:
        if entry.kind in SOON:
            self._journal.forget(entry)
        else:
            self._journal.finish(entry)

    def _atomic(self) -> Any:
        from django.db.transaction import atomic

        return atomic(self._connection.alias)

    def _execute(self, sql: str) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(sql)
