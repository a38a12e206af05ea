"""What this image's code reads and writes, and what a database is: the facts that a release records, and that the
verdict on going back compares.

    facts(connection)     what is recorded: wanted, live, known, applied, opaque
    inspect(connection)   the same, what each migration did to the database (effects), and what lies aside

A fake, a RunSQL or a hand leaves a migration graph that lies. So the code is what its models say, loaded; the database
is what its own catalogue says; and the graph only tells who did what.
"""

# Django is the image's, and is imported when there are settings to import it with.
# ruff: noqa: PLC0415
# mypy: disable-error-code=import-not-found

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from nuages_runtime.migrations.effects import done, opaque
from nuages_runtime.migrations.journal import Journal
from nuages_runtime.migrations.live import live, spelled

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models import Model

__all__ = ["applied", "aside", "facts", "inspect", "known", "live", "wanted"]


def facts(connection: BaseDatabaseWrapper, declared: Collection[str] = ()) -> dict[str, Any]:
    """What a release records of one database.

    Args:
        connection: of the alias; read only.
        declared: migrations whose RunPython and RunSQL the spec declares ("blog.0005_fill"): they are not opaque.
    """
    from django.db.migrations.loader import MigrationLoader

    loader = MigrationLoader(connection, ignore_no_migrations=True)
    return {
        "vendor": connection.vendor,
        "wanted": wanted(connection),
        "live": live(connection),
        "known": known(loader),
        "applied": applied(connection),
        "opaque": opaque(loader, connection.alias, declared),
    }


def inspect(connection: BaseDatabaseWrapper, declared: Collection[str] = ()) -> dict[str, Any]:
    """The facts, and per migration what it did to the database and what it stands on; some seconds for a large project.

    Args and what may be raised: as `facts`.
    """
    return {**facts(connection, declared), "effects": done(connection, declared), "aside": aside(connection)}


def wanted(connection: BaseDatabaseWrapper) -> dict[str, Any]:
    """The tables and columns of the models that live in this database, as their queries name them.

    A column has a `default` where the code leaves its value to the database when it has none: an automatic key, a
    db_default. A `generated` one it never writes. A table that is not `managed` is somebody else's: it may be missing.
    """
    from django.apps import apps

    tables: dict[str, Any] = {}
    for model in apps.get_models(include_auto_created=True):
        meta = model._meta
        if meta.proxy or meta.swapped or not _lives(model, connection.alias):
            continue
        table = tables.setdefault(meta.db_table, {"columns": {}, "managed": False})
        table["managed"] = table["managed"] or meta.managed
        for field in meta.local_concrete_fields:
            if kind := field.db_type(connection):
                table["columns"][field.column] = {
                    "type": spelled(kind),
                    "null": field.null,
                    "default": _left_to_the_database(field),
                    "generated": bool(getattr(field, "generated", False)),
                }
    return tables


def known(loader: Any) -> dict[str, dict[str, list[str]]]:
    """Per app the migrations that this image has, each with those it replaces."""
    found: dict[str, dict[str, list[str]]] = {}
    for (app, name), migration in sorted(loader.disk_migrations.items()):
        found.setdefault(app, {})[name] = [f"{label}.{replaced}" for label, replaced in migration.replaces]
    return found


def applied(connection: BaseDatabaseWrapper) -> list[str]:
    """The rows of django_migrations, as they are: also of migrations that this image does not know."""
    from django.db.migrations.recorder import MigrationRecorder

    return sorted(f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations())


def aside(connection: BaseDatabaseWrapper) -> list[tuple[str, str | None]]:
    """The tables and columns that were dropped and still lie aside with their data, as they were called."""
    entries = Journal(connection).all()
    dropped = {str(entry.id): entry for entry in entries}
    kept = [dropped.get(entry.note) for entry in entries if entry.kind == "aside" and entry.done is None]
    return [(entry.table_name, entry.column_name or None) for entry in kept if entry]


def _lives(model: type[Model], alias: str) -> bool:
    """Whether a model's table is in that database; of one that is not managed, where it is read from."""
    from django.db import router

    if model._meta.managed:
        return bool(router.allow_migrate_model(alias, model))
    return bool(router.db_for_read(model) == alias)


def _left_to_the_database(field: Any) -> bool:
    from django.db.models.fields import NOT_PROVIDED, AutoFieldMixin

    return isinstance(field, AutoFieldMixin) or getattr(field, "db_default", NOT_PROVIDED) is not NOT_PROVIDED
