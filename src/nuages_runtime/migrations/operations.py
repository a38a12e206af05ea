"""The class of one operation of a migration: what it does to the database, against what the running code needs of it.

    judged = classify(operation, "blog", before, after, running=wanted, vendor="postgresql")
    judged.kind        state | expand | backfill | contract | unsafe

`before` and `after` are Django's ProjectStates around the operation. Nothing is asked of a database. An operation of a
class that is not Django's is judged as the class of Django's whose `database_forwards` it inherits; one that has its
own is unknown, and so unsafe until somebody declares what it is.
"""

# mypy: disable-error-code=import-not-found

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.db import migrations, router

from nuages_runtime.migrations import constraints, statements, tables
from nuages_runtime.migrations.judged import (
    BACKFILL,
    CONTRACT,
    DECLARABLE,
    EXPAND,
    STATE,
    UNSAFE,
    Judged,
    Setting,
    Wanted,
    plain,
    worst,
)

if TYPE_CHECKING:
    from django.db.migrations.operations.base import Operation
    from django.db.migrations.state import ProjectState

__all__ = ["Judged", "Setting", "classify", "declared", "is_strange"]

MARKER = "nuages"
"""The attribute of a Migration or an operation that declares its class: `nuages = "backfill"`."""


def classify(
    operation: Operation,
    app_label: str,
    before: ProjectState,
    after: ProjectState,
    *,
    running: Wanted | None,
    vendor: str,
    tables_made: Collection[str] = (),
    waiting: Collection[tuple[str, str]] = (),
    freed: Collection[tuple[str, tuple[str, ...]]] = (),
    sizes: Mapping[str, int] | None = None,
    alias: str = "default",
    declaration: str = "",
) -> Judged:
    """The class of one operation.

    Args:
        operation: as the migration has it.
        app_label: of the migration.
        before: the state it finds.
        after: the state it leaves.
        running: what the running code reads and writes, of this database; None where nothing runs.
        vendor: of the database: "postgresql".
        tables_made: by earlier operations of the same plan (`Judged.makes`).
        waiting: what earlier operations of this plan, or of earlier ones, left to be done later (`Judged.holds`).
        freed: what need not be unique any more since earlier operations of the same plan (`Judged.frees`).
        sizes: bytes of the tables that are there; one that is missing counts as large.
        alias: of the database, for the routers and the types of its columns.
        declaration: the class that the spec or the migration's marker declares; an operation's own marker wins.
    """
    setting = Setting(running, vendor, alias, tables_made, waiting, freed, sizes or {})
    judged = _judge(operation, app_label, before, after, setting)
    if running is None:
        return plain(judged)
    wish = str(getattr(operation, MARKER, "") or declaration)
    return _as_declared(judged, operation, wish) if wish in DECLARABLE else judged


def declared(migration: Any, classes: Mapping[str, str]) -> str:
    """The class that the spec (`classes`: {"blog.0005_fill": "backfill"}) or the migration's marker declares; "" where
    neither does.
    """
    return str(classes.get(f"{migration.app_label}.{migration.name}") or getattr(migration, MARKER, "") or "")


def _as_declared(judged: Judged, operation: Operation, wish: str) -> Judged:
    """What somebody vouches for, where it means something for this operation: an AddField fills no rows."""
    if judged.kind == STATE or (judged.makes and wish in {BACKFILL, CONTRACT}):
        return judged
    if wish == CONTRACT and _family(operation) in {migrations.RunPython, None}:
        why = "declared contract; code is run once the rollout is over, by the same release"
        return Judged(BACKFILL, why, declared=True)
    unread = judged.opaque or _family(operation) is migrations.RunSQL
    if (wish == BACKFILL and not unread) or (wish == CONTRACT and isinstance(operation, migrations.AddField)):
        return judged
    safer = "nuages deploy --maintenance" if wish == UNSAFE else ""
    return replace(judged, kind=wish, why=f"declared {wish}", safer=safer, declared=True, opaque=False, parts=())


def _judge(operation: Operation, app: str, before: ProjectState, after: ProjectState, setting: Setting) -> Judged:
    family = _family(operation)
    if family is None:
        return Judged(
            UNSAFE,
            f"{type(operation).__module__}.{type(operation).__qualname__} is not Django's own: what it does is unknown",
            f'declare its class: {MARKER} = "expand" on it, or migrations.classes in nuages.yaml',
            opaque=True,
        )
    return _JUDGES[family](operation, app, before, after, setting)


def _family(operation: Operation) -> type | None:
    """The class of Django's that decides what this operation does to the database; None where none does."""
    for each in type(operation).__mro__:
        if each.__module__.startswith("django.") and each in _JUDGES:
            return each
        if "database_forwards" in vars(each) and not each.__module__.startswith("django."):
            return None
    return None


def is_strange(operation: Operation) -> bool:
    """Whether an operation has a way of its own into the database, which is not Django's."""
    return _family(operation) is None


# Code, SQL, and what holds other operations


def _run_python(operation: Any, app: str, before: ProjectState, after: ProjectState, setting: Setting) -> Judged:
    if operation.code is migrations.RunPython.noop or not _sent(operation, app, setting):
        return Judged(STATE)
    return Judged(
        EXPAND,
        "code: what it does to rows is unknown, and it runs before the rollout, while the running code goes on writing",
        f'{MARKER} = "backfill" on the migration runs it after the rollout',
        opaque=True,
    )


def _run_sql(operation: Any, app: str, before: ProjectState, after: ProjectState, setting: Setting) -> Judged:
    bare = statements.text(operation.sql)
    if not bare.strip(" ;\n") or not _sent(operation, app, setting):
        return Judged(STATE)
    taken = [what for table, column, what in statements.takes(bare) if not table or setting.knows(table, column)]
    if taken:
        return Judged(
            UNSAFE,
            f"SQL that the running code may not survive: it {', '.join(taken)}",
            f'{MARKER} = "contract" on the migration runs it when no old pod is left; "expand" vouches for it',
            opaque=True,
        )
    slow = [what for table, what in statements.blocks(bare) if setting.knows(table) and not setting.small(table)]
    if slow:
        return Judged(
            UNSAFE,
            f"SQL that blocks: {', '.join(slow)} until it is done",
            "CREATE INDEX CONCURRENTLY in a migration with atomic = False, or AddIndex instead of SQL",
            opaque=True,
        )
    return Judged(
        EXPAND,
        "SQL of the project's own: what it does is unknown, and it runs before the rollout",
        f'{MARKER} = "backfill" or "contract" on the migration runs it after the rollout',
        opaque=True,
    )


def _sent(operation: Any, app: str, setting: Setting) -> bool:
    return bool(router.allow_migrate(setting.alias, app, **operation.hints))


def _separate(operation: Any, app: str, before: ProjectState, after: ProjectState, setting: Setting) -> Judged:
    """Judged by its database_operations alone, with the states that Django makes for them."""
    parts, made, waiting, freed = [], set(setting.made), set(setting.waiting), set(setting.freed)
    for each in operation.database_operations:
        then = before.clone()
        each.state_forwards(app, then)
        part = _judge(each, app, before, then, replace(setting, made=made, waiting=waiting, freed=freed))
        wish = str(getattr(each, MARKER, ""))
        parts.append(_as_declared(part, each, wish) if wish in DECLARABLE else part)
        made |= part.makes
        waiting |= part.holds
        freed |= part.frees
        before = then
    return worst(parts)


def _nothing(operation: Any, app: str, before: ProjectState, after: ProjectState, setting: Setting) -> Judged:
    return Judged(STATE)


_Judge = Callable[[Any, str, "ProjectState", "ProjectState", Setting], Judged]


def _judges() -> dict[type, _Judge]:
    """By the class of Django's; those of django.contrib.postgres where the project has psycopg."""
    found: dict[str, _Judge] = {
        "CreateModel": tables.create_model,
        "DeleteModel": tables.delete_model,
        "RenameModel": tables.rename_model,
        "AlterModelTable": tables.alter_table,
        "AlterModelTableComment": tables.comment,
        "AlterModelOptions": _nothing,
        "AlterModelManagers": _nothing,
        "AlterOrderWithRespectTo": tables.order,
        "AlterUniqueTogether": constraints.together,
        "AlterIndexTogether": constraints.together,
        "AddField": tables.add_field,
        "RemoveField": tables.remove_field,
        "AlterField": tables.alter_field,
        "RenameField": tables.rename_field,
        "AddIndex": constraints.add_index,
        "RemoveIndex": constraints.remove_index,
        "RenameIndex": constraints.rename_index,
        "AddConstraint": constraints.add_constraint,
        "RemoveConstraint": constraints.remove_constraint,
        "AlterConstraint": _nothing,
        "RunPython": _run_python,
        "RunSQL": _run_sql,
        "SeparateDatabaseAndState": _separate,
    }
    of_postgres: dict[str, _Judge] = {
        "CreateExtension": constraints.extension,
        "CreateCollation": constraints.extension,
        "RemoveCollation": constraints.collation_gone,
        "AddIndexConcurrently": constraints.add_index,
        "RemoveIndexConcurrently": constraints.remove_index,
        "AddConstraintNotValid": constraints.add_constraint,
        "ValidateConstraint": constraints.validate_constraint,
    }
    made = {getattr(migrations, name): judge for name, judge in found.items() if hasattr(migrations, name)}
    try:
        from django.contrib.postgres import operations as postgres  # noqa: PLC0415 - needs psycopg
    except ImportError:
        return made
    return made | {getattr(postgres, name): judge for name, judge in of_postgres.items() if hasattr(postgres, name)}


_JUDGES = _judges()
