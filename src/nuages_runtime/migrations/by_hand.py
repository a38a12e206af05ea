"""`manage.py migrate blog 0004` by hand: what is journaled of a migration that is undone comes back with its data."""

# Django is the image's, and is imported when there are settings to import it with.
# mypy: disable-error-code=import-not-found

from __future__ import annotations

from types import ModuleType
from typing import Any


def watch(module: ModuleType) -> None:
    """Let `django.db.migrations.executor`, just loaded, ask the journal before it undoes a migration."""
    executor = module.MigrationExecutor
    original = executor.unapply_migration

    def unapply_migration(self: Any, state: Any, migration: Any, fake: bool = False) -> Any:
        # The stage's own way leads here too: it puts its class of editors on the connection.
        if fake or self.connection.vendor != "postgresql" or "SchemaEditorClass" in vars(self.connection):
            return original(self, state, migration, fake=fake)
        return _journaled(self, state, migration, original)

    executor.unapply_migration = unapply_migration


def _journaled(executor: Any, state: Any, migration: Any, original: Any) -> Any:
    from nuages_runtime.migrations.events import Log  # noqa: PLC0415 - only where something is undone
    from nuages_runtime.migrations.journal import Journal  # noqa: PLC0415
    from nuages_runtime.migrations.stages import Stage  # noqa: PLC0415

    key = (migration.app_label, migration.name)
    if not any((entry.app, entry.migration) == key for entry in Journal(executor.connection).all()):
        return original(executor, state, migration)
    stage = Stage(executor.connection, Log())
    with stage.patched():
        return executor.unapply_migration(state, migration)
