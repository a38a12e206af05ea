"""Pending migrations, run for once on a clone of the schema: the statements as they would be, and what each would lock.

By the same code that migrates (stages.py), so that the plan says what the release will do. Code of the project's own
(RunPython, RunSQL) is not run: it may do anything, to anybody. Nothing but the clone is changed: a statement that names
what is not in it does not run, and a lock on anything else ends the rehearsal.
"""

# Django is the image's, and is imported when there are settings to import it with.
# ruff: noqa: PLC0415
# mypy: disable-error-code=import-not-found

from __future__ import annotations

import copy
import io
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nuages_runtime.migrations import forms
from nuages_runtime.migrations.clone import CannotClone, cloned
from nuages_runtime.migrations.course import Course
from nuages_runtime.migrations.events import Log
from nuages_runtime.migrations.journal import LATER, Entry
from nuages_runtime.migrations.judged import Wanted
from nuages_runtime.migrations.leaves import is_code
from nuages_runtime.migrations.live import live
from nuages_runtime.migrations.operations import is_strange
from nuages_runtime.migrations.stages import Stage

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

MODES = (
    "AccessShareLock",
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
)
"""From the weakest to the strongest."""
HARMLESS = frozenset(MODES[:3])
PATIENCE = 2.0
"""Seconds that a statement of the rehearsal waits for a lock; nobody else knows the clone."""

_LOCKS = """
    SELECT c.relname, l.mode, n.nspname FROM pg_locks l
    JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.granted AND c.relkind IN ('r', 'p')
      AND n.nspname NOT IN ('pg_catalog', 'pg_toast', 'information_schema')
"""
_FILES = (
    "SELECT relname, pg_relation_filenode(oid) FROM pg_class WHERE relnamespace = to_regnamespace(%s) AND relkind = 'r'"
)
_OUTSIDE = """
    SELECT name FROM unnest(%s::text[]) AS name
    JOIN pg_class c ON c.oid = to_regclass(quote_ident(name)) JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname NOT IN (%s, 'pg_catalog') AND c.relkind NOT IN ('S', 'i', 'I')
    UNION ALL SELECT name FROM unnest(%s::text[]) AS name WHERE to_regnamespace(quote_ident(name)) IS NOT NULL
"""
_QUOTED = re.compile(r'"((?:[^"]|"")+)"(\.)?')
_CHANGES = ("ALTER ", "CREATE ", "DROP ", "COMMENT ", "UPDATE ", "SET CONSTRAINTS ", "TRUNCATE ", "DELETE ", "REINDEX ")
_OURS = ("nuages_journal", "django_migrations")
_CONCURRENTLY = re.compile(r"\bCONCURRENTLY\s+", re.IGNORECASE)


@dataclass
class Told:
    """What a rehearsal tells of one database."""

    statements: dict[tuple[str, int], list[dict[str, Any]]] = field(default_factory=dict)
    """By migration ("blog.0005_slug") and operation: {"sql", "locks", "rewrites", "concurrent", "later"}."""
    after: dict[str, Any] | None = None
    """The schema when all is done that is not held back; None where the rehearsal did not get there."""
    why: str = ""
    """Why there was none: the database lets no clone be made."""
    failed: tuple[str, str, str] | None = None
    """(migration, statement, error) of what would fail; None where nothing does."""
    unsure: bool = False
    """Whether code that was not run came before what failed: it may be what that needs."""


class Escaped(Exception):
    """A statement that would reach beyond the clone; it was not run, or its transaction was rolled back."""


def rehearse(
    connection: BaseDatabaseWrapper,
    running: Wanted | None,
    classes: Mapping[str, str],
    due: Collection[Entry],
    sizes: Mapping[str, tuple[int | None, int]],
) -> Told:
    """Run what is pending on a clone, to its end or to the first statement that fails.

    Args:
        connection: of the database; it is closed afterwards.
        running: what the running code reads and writes; None: as where nothing runs.
        classes: what the spec declares.
        due: entries of the journal that the release would work off first.
        sizes: of the tables that are cloned: (rows, bytes).
    """
    told = Told()
    try:
        with cloned(connection) as namespace:
            _Rehearsal(connection, namespace, told).run(running, classes, due, sizes)
    except CannotClone as error:
        told.why = str(error)
    return told


class _Rehearsal:
    def __init__(self, connection: BaseDatabaseWrapper, namespace: str, told: Told) -> None:
        self._connection, self._namespace, self._told = connection, namespace, told
        self._migration = ""
        self._pending: set[str] = set()
        self._asking = False
        self._unrun = False
        self._entry: Callable[[], int] = lambda: 0

    def run(
        self,
        running: Wanted | None,
        classes: Mapping[str, str],
        due: Collection[Entry],
        sizes: Mapping[str, tuple[int | None, int]],
    ) -> None:
        from django.db import DatabaseError
        from django.db.migrations.executor import MigrationExecutor

        with self._connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = '{int(PATIENCE * 1000)}ms'; SET statement_timeout = '60s'")
        stage = Stage(self._connection, Log(io.StringIO()), running=running, classes=classes, patience=PATIENCE)
        stage.journal.ensure()
        stage.mode.drop = lambda *_: False  # nothing is put aside here
        stage._course = Course(self._connection, running, classes, sizes=sizes)
        self._entry = lambda: stage.mode.operation
        executor = MigrationExecutor(self._connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        self._pending = {f"{migration.app_label}.{migration.name}" for migration, _ in plan}
        state = executor._create_project_state(with_applied_migrations=True)
        with _no_code(), stage.patched(), self._connection.execute_wrapper(self._watch):
            run = stage.steps.run

            def step(entry: Entry) -> None:
                self._entry = lambda: entry.operation
                run(entry)
                self._entry = lambda: stage.mode.operation

            stage.steps.run = step  # type: ignore[method-assign]
            self._work_off(due)
            for migration, _ in plan:
                self._migration = f"{migration.app_label}.{migration.name}"
                self._unrun = self._unrun or any(is_code(each) or is_strange(each) for each in migration.operations)
                # The list is this loader's; what is in it is shared with the migration's class.
                migration.operations = _tamed(migration.operations)
                try:
                    state = executor.apply_migration(state, migration)
                except (DatabaseError, Escaped, ValueError) as error:
                    line = (str(error).splitlines() or [""])[0]
                    self._told.failed = (self._migration, stage.statement, f"{type(error).__name__}: {line}")
                    self._told.unsure = self._unrun or isinstance(error, Escaped)
                    break
        self._later(stage)
        if self._told.failed is None:
            self._told.after = live(self._connection, namespace=self._namespace)

    def _work_off(self, due: Collection[Entry]) -> None:
        """What earlier releases held back and this one would do first; what is gone already is no matter."""
        from django.db import DatabaseError

        for entry in due:
            self._migration, self._entry = entry.name, lambda entry=entry: entry.operation  # type: ignore[misc]
            for sql in filter(None, [entry.sql]):
                try:
                    with self._connection.cursor() as cursor:
                        cursor.execute(sql)
                except (DatabaseError, Escaped):
                    continue

    def _later(self, stage: Stage) -> None:
        """What is held back is told too: it is not run, so that what it would lock is not known."""
        for entry in stage.journal.pending(*LATER):
            if entry.sql and entry.name in self._pending:
                text = {"sql": entry.sql, "locks": [], "rewrites": False, "concurrent": False, "later": True}
                self._told.statements.setdefault((entry.name, entry.operation), []).append(text)

    def _watch(self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
        """Django's execute_wrapper: each statement that changes something, in a transaction in which its locks show."""
        from django.db.transaction import atomic

        text = str(sql).strip()
        if self._asking or not text.upper().startswith(_CHANGES) or any(name in text for name in _OURS):
            return execute(sql, params, many, context)
        self._asking = True
        try:
            self._inside(text)
            concurrent = bool(_CONCURRENTLY.search(text))
            with atomic(self._connection.alias):
                held, files = self._locks(), self._files()
                done = execute(_CONCURRENTLY.sub("", str(sql)), params, many, context)
                now = self._locks()
                rewritten = {table for table, file in self._files().items() if files.get(table, file) != file}
        finally:
            self._asking = False
        about = forms.about(text)
        locks = {table: modes - held.get(table, set()) for table, modes in now.items()}
        if about in now:
            locks[about] = now[about]  # also what an earlier statement of the transaction took already
        taken = [
            {"table": table, "mode": "ShareUpdateExclusiveLock" if concurrent else max(modes, key=MODES.index)}
            for table, modes in sorted(locks.items())
            if modes
        ]
        self._told.statements.setdefault((self._migration, self._entry()), []).append(
            {"sql": text, "locks": taken, "rewrites": bool(rewritten), "concurrent": concurrent, "later": False}
        )
        return done

    def _inside(self, text: str) -> None:
        """Raise where a quoted name of the statement is a table, or a schema, that is not the clone's."""
        found = _QUOTED.findall(text)
        names = [name.replace('""', '"') for name, _ in found]
        schemas = [name.replace('""', '"') for name, dot in found if dot]
        with self._connection.cursor() as cursor:
            cursor.execute(_OUTSIDE, [names, self._namespace, [each for each in schemas if each != self._namespace]])
            outside = [row[0] for row in cursor.fetchall()]
        if outside:
            raise Escaped(f"{', '.join(outside)} has no clone")

    def _locks(self) -> dict[str, set[str]]:
        with self._connection.cursor() as cursor:
            cursor.execute(_LOCKS)
            found: dict[str, set[str]] = {}
            for table, mode, namespace in cursor.fetchall():
                if namespace == self._namespace:
                    found.setdefault(table, set()).add(mode)
                elif mode not in HARMLESS:
                    raise Escaped(f"{namespace}.{table} would be locked")
        return found

    def _files(self) -> dict[str, int]:
        with self._connection.cursor() as cursor:
            cursor.execute(_FILES, [self._namespace])
            return dict(cursor.fetchall())


@contextmanager
def _no_code() -> Iterator[None]:
    """RunPython and RunSQL do nothing in this process, by whichever way they are reached, for the body."""
    from django.db.migrations import RunPython, RunSQL

    kept = [(each, each.database_forwards) for each in (RunPython, RunSQL)]
    for each, _ in kept:
        each.database_forwards = lambda *_: None
    try:
        yield
    finally:
        for each, forwards in kept:
            each.database_forwards = forwards


def _tamed(operations: list[Any]) -> list[Any]:
    """The operations, those with a way of their own into the database without it."""
    from django.db.migrations import SeparateDatabaseAndState

    made = []
    for operation in operations:
        each = operation
        if is_strange(operation):
            each = copy.copy(operation)
            each.database_forwards = lambda *_: None
        elif isinstance(operation, SeparateDatabaseAndState):
            each = copy.copy(operation)
            each.database_operations = _tamed(operation.database_operations)
        made.append(each)
    return made
