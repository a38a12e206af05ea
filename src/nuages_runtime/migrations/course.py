"""One plan on one database, operation by operation: what was made so far, and what was left waiting.

course = Course(connection, running, classes)
for migration in plan:
    for operation in migration.operations:
        judged = course.judge(migration, operation, before, after)
"""

# mypy: disable-error-code=import-not-found

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from nuages_runtime.migrations.judged import CONTRACT, Judged, Wanted
from nuages_runtime.migrations.operations import classify, declared

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.migrations.migration import Migration
    from django.db.migrations.operations.base import Operation
    from django.db.migrations.state import ProjectState

# Partitioned tables have no bytes of their own, and count as large by that.
_SIZES = {
    "postgresql": """
        SELECT c.relname, nullif(c.reltuples, -1)::bigint, pg_total_relation_size(c.oid)
        FROM pg_class c WHERE c.relkind = 'r' AND pg_table_is_visible(c.oid)
    """,
    "mysql": """
        SELECT table_name, table_rows, data_length + index_length
        FROM information_schema.tables WHERE table_schema = DATABASE()
    """,
}
_HELD = (
    (re.compile(r'^\s*DROP TABLE (?:IF EXISTS )?"([^"]+)"'), True),
    (re.compile(r'(?:ALTER|DROP) COLUMN (?:IF EXISTS )?"([^"]+)"'), False),
    (re.compile(r'(?:ADD|DROP) CONSTRAINT (?:IF EXISTS )?"([^"]+)"'), False),
    (re.compile(r'INDEX (?:CONCURRENTLY )?(?:IF (?:NOT )?EXISTS )?"([^"]+)"'), False),
)


def held_by(table: str, column: str, sql: str) -> set[tuple[str, str]]:
    """What a statement of the journal leaves to be done, as Judged.holds names it."""
    found = {(table, column)} if column else set()
    for pattern, whole in _HELD:
        found |= {(name, "") if whole else (table, name) for name in pattern.findall(sql)}
    return found


class Course:
    """What the next operation meets."""

    def __init__(
        self,
        connection: BaseDatabaseWrapper,
        running: Wanted | None,
        classes: Mapping[str, str] | None = None,
        waiting: Collection[tuple[str, str]] = (),
        sizes: Mapping[str, tuple[int | None, int]] | None = None,
    ) -> None:
        """Begin; `waiting` is what earlier releases left in the journal: (table, column)."""
        self.running = running
        self.classes = classes or {}
        self.made: set[str] = set()
        self.waiting = set(waiting)
        self.freed: set[tuple[str, tuple[str, ...]]] = set()
        self.sizes = dict(measured(connection) if sizes is None else sizes)
        """(rows, bytes) by table; rows as PostgreSQL estimated them last, None where it never did."""
        self._alias, self._vendor = connection.alias, connection.vendor

    def judge(self, migration: Migration, operation: Operation, before: ProjectState, after: ProjectState) -> Judged:
        """The class of the next operation; what it makes and leaves is remembered."""
        asks = callable(getattr(getattr(operation, "field", None), "default", None))
        with _undone(self._alias) if asks else nullcontext():
            judged = classify(
                operation,
                migration.app_label,
                before,
                after,
                running=self.running,
                vendor=self._vendor,
                tables_made=self.made,
                waiting=self.waiting,
                freed=self.freed,
                sizes={table: size for table, (_, size) in self.sizes.items()},
                alias=self._alias,
                declaration=declared(migration, self.classes),
            )
        self.made |= judged.makes
        self.freed |= judged.frees
        if judged.kind == CONTRACT:
            self.waiting |= judged.holds
        return judged


@contextmanager
def _undone(alias: str) -> Iterator[None]:
    """A default that is asked may be a function that makes a row (get_or_create): not for a question."""
    from django.db import transaction  # noqa: PLC0415 - there are settings by now

    with transaction.atomic(alias):
        try:
            yield
        finally:
            transaction.set_rollback(True, alias)


def measured(connection: BaseDatabaseWrapper) -> dict[str, tuple[int | None, int]]:
    """(rows, bytes) of each table; nothing where the database does not say. Of SQLite the file's bytes, for each."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
            size = int(cursor.fetchone()[0])
            return dict.fromkeys(connection.introspection.table_names(cursor), (None, size))
        if connection.vendor not in _SIZES:
            return {}
        cursor.execute(_SIZES[connection.vendor])
        return {str(table): (rows, int(size or 0)) for table, rows, size in cursor.fetchall()}
