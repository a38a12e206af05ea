"""What each migration did to the database, read off its operations without running any: who dropped what a release
reads, and what there would be to undo.

Only the names count here, table and column as the database has them. What is there now, the catalogue says.
"""

# Django is the image's, and is imported when there are settings to import it with.
# ruff: noqa: PLC0415
# mypy: disable-error-code=import-not-found

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from nuages_runtime.migrations.names import Names

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

Effect = dict[str, str]


def done(connection: BaseDatabaseWrapper, declared: Collection[str] = ()) -> dict[str, Any]:
    """Per migration, in the order of the graph: `parents`, `reversible`, `atomic`, `effects`.

    An effect `does` create, drop, rename, alter, constrain or code; it names the `table`, the `column` where it is
    about one, and what a rename makes of it (`to`). A migration that a squash stands for is not among them.
    """
    from django.db import router
    from django.db.migrations.executor import MigrationExecutor
    from django.db.migrations.state import ProjectState

    executor = MigrationExecutor(connection)
    graph = executor.loader.graph
    state = ProjectState(real_apps=executor.loader.unmigrated_apps)
    told: dict[str, Any] = {}
    for migration, _ in executor.migration_plan(graph.leaf_nodes(), clean_start=True):
        app, name = migration.app_label, migration.name
        found: list[Effect] = []
        for operation in migration.operations:
            if router.allow_migrate(connection.alias, app):
                found += _effects(operation, Names(state, app, connection), _declared(migration, declared))
            operation.state_forwards(app, state)
        told[f"{app}.{name}"] = {
            "parents": sorted(f"{label}.{parent}" for label, parent in map(tuple, graph.node_map[app, name].parents)),
            "atomic": bool(migration.atomic) and connection.features.can_rollback_ddl,
            "reversible": all(_reversible(operation) for operation in migration.operations),
            "effects": found,
        }
    return told


def opaque(loader: Any, alias: str, declared: Collection[str] = ()) -> list[str]:
    """The migrations whose operations do in that database what can't be read off them, and that nobody declared."""
    from django.db import router

    return sorted(
        f"{app}.{name}"
        for (app, name), migration in loader.disk_migrations.items()
        if not _declared(migration, declared)
        and any(
            code(operation) and router.allow_migrate(alias, app, **getattr(operation, "hints", {}))
            for operation in migration.operations
        )
    )


def code(operation: Any) -> bool:
    """Whether an operation runs a program of somebody's own: RunPython, RunSQL, or a class that is not Django's.

    One that is marked (`nuages = "backfill"`) is declared; one that does nothing forwards is none.
    """
    from django.db.migrations import operations

    if getattr(operation, "nuages", None):
        return False
    if isinstance(operation, operations.SeparateDatabaseAndState):
        return any(code(inner) for inner in operation.database_operations)
    if isinstance(operation, operations.RunPython):
        return bool(operation.code is not operations.RunPython.noop)
    if isinstance(operation, operations.RunSQL):
        return bool(operation.sql)
    owner = next(cls for cls in type(operation).__mro__ if "database_forwards" in vars(cls))
    return not owner.__module__.startswith("django.")


def _declared(migration: Any, declared: Collection[str]) -> bool:
    return bool(getattr(migration, "nuages", None)) or f"{migration.app_label}.{migration.name}" in declared


def _reversible(operation: Any) -> bool:
    """`reversible` of an operation says nothing of those that it is made of."""
    inner = getattr(operation, "database_operations", ())
    return bool(operation.reversible) and all(_reversible(each) for each in inner)


def _effects(operation: Any, names: Names, declared: bool) -> Iterator[Effect]:
    from django.db.migrations import operations as django

    if code(operation):
        yield {"does": "code", "table": "", "text": operation.describe(), **({"declared": "yes"} if declared else {})}
    if isinstance(operation, django.SeparateDatabaseAndState):
        for inner in operation.database_operations:
            yield from _effects(inner, names, declared)
            names = names.after(inner)
        return
    if isinstance(operation, django.RunSQL):
        # What the project says that its SQL is.
        for inner in operation.state_operations if operation.sql else ():
            yield from _effects(inner, names, declared)
            names = names.after(inner)
        return
    model: str = getattr(operation, "model_name", None) or getattr(operation, "name", "") or ""
    if isinstance(operation, django.CreateModel):
        if names.managed(operation.options):
            table = operation.options.get("db_table") or names.default(operation.name)
            yield {"does": "create", "table": table}
            for name, field in operation.fields:
                if field.many_to_many and not field.remote_field.through:
                    yield {"does": "create", "table": names.through(table, name, field)}
    elif isinstance(operation, django.RenameModel):
        yield from names.renamed(operation)
    elif not names.there(model):
        return
    elif isinstance(operation, django.DeleteModel):
        yield {"does": "drop", "table": names.table(model)}
        yield from ({"does": "drop", "table": through} for through in names.throughs(model))
    elif isinstance(operation, django.AlterModelTable):
        yield from names.moved(model, operation.table or names.default(model))
    elif isinstance(operation, django.AddField):
        yield names.field("create", model, operation.name, operation.field)
    elif isinstance(operation, django.RemoveField):
        yield names.field("drop", model, operation.name)
    elif isinstance(operation, django.RenameField):
        yield from names.turned(
            model, operation.old_name, names.field_of(model, operation.old_name), operation.new_name
        )
    elif isinstance(operation, django.AlterField):
        yield from names.altered(model, operation.name, operation.field)
    elif isinstance(operation, django.AlterOrderWithRespectTo):
        does = "create" if operation.order_with_respect_to else "drop"
        yield {"does": does, "table": names.table(model), "column": "_order"}
    elif type(operation).__name__ in CONSTRAINS:
        yield {"does": "constrain", "table": names.table(model)}


CONSTRAINS = {
    *("AddConstraint", "AddConstraintNotValid", "AlterConstraint", "RemoveConstraint", "ValidateConstraint"),
    *("AlterUniqueTogether", "AddIndex", "AddIndexConcurrently", "RemoveIndex", "RemoveIndexConcurrently"),
}
