"""Migrations as Django runs them, on a database that is not PostgreSQL; and what may be wrong with one on any."""

# Django is the image's, and is imported when there are settings to import it with.
# ruff: noqa: PLC0415
# mypy: disable-error-code=import-not-found

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nuages_runtime.migrations.judged import Judged
    from nuages_runtime.migrations.leaves import Leaf


@contextmanager
def plainly() -> Iterator[None]:
    """Django's own way on another database, with a migration's row in its transaction where there is one."""
    from django.db.migrations.executor import MigrationExecutor

    forwards = MigrationExecutor.apply_migration

    def apply(executor: Any, state: Any, migration: Any, fake: bool = False, fake_initial: bool = False) -> Any:
        def run(state: Any, schema_editor: Any, collect_sql: bool = False) -> Any:
            state = type(migration).apply(migration, state, schema_editor, collect_sql)
            if schema_editor.atomic_migration and not collect_sql:
                for sql in schema_editor.deferred_sql:
                    schema_editor.execute(sql, None)
                schema_editor.deferred_sql.clear()
            return state

        with instead(migration, "apply", run):
            return forwards(executor, state, migration, fake=fake, fake_initial=fake_initial)

    MigrationExecutor.apply_migration = apply
    try:
        yield
    finally:
        MigrationExecutor.apply_migration = forwards


class Unsafe(Exception):
    """An operation that no order makes safe; nothing of its migration is done."""

    def __init__(self, migration: Any, leaf: Leaf, judged: Judged) -> None:
        """Say which, and why."""
        super().__init__(f"{migration.app_label}.{migration.name}: {leaf.operation.describe()}: {judged.why}")


class ChangedMigration(Exception):
    """A migration that was begun is not the same any more."""

    def __init__(self, migration: Any, done: str, text: str) -> None:
        """Say which, and what it was."""
        super().__init__(
            f"{migration.app_label}.{migration.name} was begun, and has changed since: "
            f"what was done as {done!r} is {text!r} now"
        )


@contextmanager
def instead(thing: Any, name: str, value: object) -> Iterator[None]:
    """An attribute of this one object, for the body."""
    setattr(thing, name, value)
    try:
        yield
    finally:
        delattr(thing, name)
