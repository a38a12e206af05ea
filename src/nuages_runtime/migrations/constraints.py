"""The class of operations on indexes, constraints and what PostgreSQL has beside tables."""

# mypy: disable-error-code=import-not-found

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.db import models, router

from nuages_runtime.migrations import fields
from nuages_runtime.migrations.judged import CONTRACT, EXPAND, STATE, UNSAFE, Judged, Setting, worst
from nuages_runtime.migrations.tables import allowed, model_of

if TYPE_CHECKING:
    from django.db.migrations.state import ProjectState


def add_index(operation: Any, app: str, before: ProjectState, after: ProjectState, setting: Setting) -> Judged:
    model = model_of(after, app, operation.model_name)
    if not allowed(operation, model, setting):
        return Judged(STATE)
    table, name = model._meta.db_table, operation.index.name
    if setting.waits(table, name):
        return Judged(
            CONTRACT,
            f"an index {name} is still there until its removal is done",
            "another name makes it at once",
            holds=frozenset({(table, name)}),
        )
    return Judged(EXPAND, "an index more")


def remove_index(operation: Any, app: str, before: ProjectState, after: ProjectState, setting: Setting) -> Judged:
    model = model_of(before, app, operation.model_name)
    if not allowed(operation, model, setting):
        return Judged(STATE)
    return fields.index_gone(model._meta.db_table, operation.name, setting)


def rename_index(operation: Any, app: str, before: ProjectState, after: ProjectState, setting: Setting) -> Judged:
    if not allowed(operation, model_of(after, app, operation.model_name), setting):
        return Judged(STATE)
    return Judged(EXPAND, "no code asks for an index by its name")


def together(operation: Any, app: str, before: ProjectState, after: ProjectState, setting: Setting) -> Judged:
    old, new = model_of(before, app, operation.name), model_of(after, app, operation.name)
    if not allowed(operation, new, setting):
        return Judged(STATE)
    option = operation.option_name
    was, becomes = ({tuple(each) for each in getattr(model._meta, option, ()) or ()} for model in (old, new))
    table = new._meta.db_table
    parts = []
    if option == "unique_together":
        parts += [unique(old, new, each, setting) for each in sorted(becomes - was)]
        parts += [
            Judged(EXPAND, f"{table} need not be unique by {', '.join(each)}", frees=_columns(old, each))
            for each in sorted(was - becomes)
        ]
    else:
        parts += [Judged(EXPAND, "an index more") for _ in becomes - was]
        parts += [fields.index_gone(table, ",".join(each), setting) for each in sorted(was - becomes)]
    return worst(parts)


def unique(
    old: Any, model: Any, names: Collection[str], setting: Setting, *, constraint: str = "", nulls: bool = True
) -> Judged:
    """Rows become unique by these fields; `nulls`: whether several NULLs are let in."""
    table = model._meta.db_table
    found = [model._meta.get_field(name) for name in names]
    if not setting.knows(table):
        return Judged(EXPAND, f"the running code does not know {table}")
    left_out = [field for field in found if not setting.knows(table, field.column)]
    if nulls and any(field.null and not fields.has_db_default(field) for field in left_out):
        return Judged(EXPAND, f"the running code leaves {left_out[0].column} out, and NULLs are never twice the same")
    columns = {field.column for field in found}
    if nulls and columns and any(set(each) <= columns for _, each in _held(old, setting)):
        return Judged(EXPAND, f"{table} was unique by {', '.join(names)} before, and the running code lives with that")
    return Judged(
        CONTRACT,
        f"the running code may write to {table} what is there already, by {', '.join(names) or constraint}",
        "remove what is there twice by a backfill; it becomes unique when no old pod is left",
        holds=frozenset({(table, constraint or ",".join(names))}),
    )


def _columns(model: Any, names: Collection[str]) -> frozenset[tuple[str, tuple[str, ...]]]:
    """As Judged.frees."""
    return frozenset({(model._meta.db_table, tuple(model._meta.get_field(name).column for name in names))})


def _held(model: Any, setting: Setting) -> set[tuple[str, tuple[str, ...]]]:
    """What the database holds a table's rows unique by, or did until this plan."""
    table = model._meta.db_table
    found = {each for each in setting.freed if each[0] == table}
    for names in model._meta.unique_together:
        if not setting.waits(table, ",".join(names)):
            found |= _columns(model, names)
    for each in model._meta.constraints:
        if _whole(each) and not setting.waits(table, each.name):
            found |= _columns(model, each.fields)
    return found


def _whole(constraint: Any) -> bool:
    """Whether it holds all rows unique by some columns at each statement, not at a transaction's end alone."""
    if not isinstance(constraint, models.UniqueConstraint) or constraint.condition or constraint.deferrable:
        return False
    return bool(constraint.fields)


def add_constraint(operation: Any, app: str, before: ProjectState, after: ProjectState, setting: Setting) -> Judged:
    model = model_of(after, app, operation.model_name)
    if not allowed(operation, model, setting):
        return Judged(STATE)
    constraint, table = operation.constraint, model._meta.db_table
    if not setting.knows(table):
        return Judged(EXPAND, f"the running code does not know {table}")
    held = frozenset({(table, constraint.name)})
    if isinstance(constraint, models.UniqueConstraint):
        nulls = getattr(constraint, "nulls_distinct", None) is not False
        old = model_of(before, app, operation.model_name)
        return unique(old, model, constraint.fields, setting, constraint=constraint.name, nulls=nulls)
    if isinstance(constraint, models.CheckConstraint):
        return Judged(
            CONTRACT,
            f"the running code may write to {table} what {constraint.name} refuses",
            "put right what is there by a backfill; the check comes when no old pod is left",
            holds=held,
        )
    if is_exclusion(constraint) and setting.small(table):
        return Judged(
            CONTRACT,
            f"the running code may write to {table} what {constraint.name} refuses",
            "put right what is there by a backfill; the constraint comes when no old pod is left",
            holds=held,
        )
    if is_exclusion(constraint):
        return Judged(
            UNSAFE,
            f"nobody writes to {table} while the index of {constraint.name} is built; PostgreSQL has no other way",
            "nuages deploy --maintenance",
        )
    return Judged(
        UNSAFE,
        f"{type(constraint).__module__}.{type(constraint).__qualname__} is not Django's own: what it does is unknown",
        'declare its class: nuages = "contract" on the migration, or migrations.classes in nuages.yaml',
        opaque=True,
    )


def is_exclusion(constraint: Any) -> bool:
    """By name: the module needs psycopg, which a project on another database does not have."""
    names = {f"{each.__module__}.{each.__qualname__}" for each in type(constraint).__mro__}
    return "django.contrib.postgres.constraints.ExclusionConstraint" in names


def remove_constraint(operation: Any, app: str, before: ProjectState, after: ProjectState, setting: Setting) -> Judged:
    model = model_of(before, app, operation.model_name)
    if not allowed(operation, model, setting):
        return Judged(STATE)
    found = after_its_making(model._meta.db_table, operation.name, "one thing less to hold to", setting)
    gone = [each for each in model._meta.constraints if each.name == operation.name and _whole(each)]
    return replace(found, frees=_columns(model, gone[0].fields)) if gone and found.kind == EXPAND else found


def validate_constraint(
    operation: Any, app: str, before: ProjectState, after: ProjectState, setting: Setting
) -> Judged:
    model = model_of(before, app, operation.model_name)
    if not allowed(operation, model, setting):
        return Judged(STATE)
    return after_its_making(model._meta.db_table, operation.name, "looks at the rows, and blocks nobody", setting)


def after_its_making(table: str, name: str, why: str, setting: Setting) -> Judged:
    if not setting.waits(table, name):
        return Judged(EXPAND, why)
    return Judged(
        CONTRACT,
        f"{name} is not made yet: it waits until no old pod is left",
        "nothing to do: both are done then, one after the other",
        holds=frozenset({(table, name)}),
    )


def extension(operation: Any, app: str, before: ProjectState, after: ProjectState, setting: Setting) -> Judged:
    if setting.vendor != "postgresql" or not router.allow_migrate(
        setting.alias, app, **getattr(operation, "hints", {})
    ):
        return Judged(STATE)
    return Judged(EXPAND, f"the database learns {operation.name}")


def collation_gone(operation: Any, app: str, before: ProjectState, after: ProjectState, setting: Setting) -> Judged:
    if setting.vendor != "postgresql" or not router.allow_migrate(setting.alias, app):
        return Judged(STATE)
    return Judged(
        CONTRACT,
        f"columns and queries of the running code may name the collation {operation.name}",
        "nothing to do: it is dropped when no old pod is left",
        holds=frozenset({("", operation.name)}),
    )
