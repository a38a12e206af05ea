"""The class of operations on models and their fields, each by the tables and columns it touches."""

# mypy: disable-error-code=import-not-found

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nuages_runtime.migrations import fields
from nuages_runtime.migrations.altered import altered
from nuages_runtime.migrations.judged import EXPAND, STATE, UNSAFE, Judged, Setting, worst

if TYPE_CHECKING:
    from django.db.migrations.operations.base import Operation
    from django.db.migrations.state import ProjectState


def allowed(operation: Operation, model: Any, setting: Setting) -> bool:
    """Managed, no proxy, not swapped, and no router sends it elsewhere."""
    return bool(operation.allow_migrate_model(setting.alias, model))


def model_of(state: ProjectState, app: str, name: str) -> Any:
    return state.apps.get_model(app, name)


def create_model(operation: Any, app: str, before: ProjectState, after: ProjectState, setting: Setting) -> Judged:
    model = model_of(after, app, operation.name)
    if not allowed(operation, model, setting):
        return Judged(STATE)
    tables = tables_of(model)
    if there := sorted(table for table in tables if setting.waits(table, "")):
        return fields.still_there(", ".join(there))
    return Judged(EXPAND, "a new table", makes=frozenset(tables))


def delete_model(operation: Any, app: str, before: ProjectState, after: ProjectState, setting: Setting) -> Judged:
    model = model_of(before, app, operation.name)
    if not allowed(operation, model, setting):
        return Judged(STATE)
    return worst(fields.taken(table, setting) for table in sorted(tables_of(model)))


def rename_model(operation: Any, app: str, before: ProjectState, after: ProjectState, setting: Setting) -> Judged:
    old, new = model_of(before, app, operation.old_name), model_of(after, app, operation.new_name)
    if not allowed(operation, new, setting):
        return Judged(STATE)
    return moved(physical(old), physical(new), setting)


def alter_table(operation: Any, app: str, before: ProjectState, after: ProjectState, setting: Setting) -> Judged:
    old, new = model_of(before, app, operation.name), model_of(after, app, operation.name)
    if not allowed(operation, new, setting):
        return Judged(STATE)
    return moved(physical(old), physical(new), setting)


def moved(old: dict[str, frozenset[str]], new: dict[str, frozenset[str]], setting: Setting) -> Judged:
    """Tables before and after, with the columns that may be named after the model: what would be called otherwise."""
    tables = sorted(set(old) - set(new))
    columns = [(table, column) for table in sorted(set(old) & set(new)) for column in sorted(old[table] - new[table])]
    if not tables and not columns:
        return Judged(STATE)
    makes = frozenset(new) - frozenset(old) if set(tables) & set(setting.made) else frozenset[str]()
    known = [table for table in tables if setting.knows(table)]
    parts = [f"{table}.{column}" for table, column in columns if setting.knows(table, column)]
    if not known and not parts:
        unknown = tables + [f"{table}.{column}" for table, column in columns]
        return Judged(EXPAND, f"the running code does not know {', '.join(unknown)}", makes=makes)
    keep = [f'Meta: db_table = "{table}"' for table in known[:1]]
    keep += ["a model of your own between the two (through=), with db_column on its foreign keys"] if parts else []
    return Judged(
        UNSAFE,
        f"the running code reads and writes {', '.join(known + parts)}, gone under that name at once",
        f"keep the names in the database, so that it is a matter of code alone: {'; '.join(keep)}",
    )


def physical(model: Any) -> dict[str, frozenset[str]]:
    """The tables that a rename of a model may touch: its own, and those between it and others."""
    between = [field.remote_field.through for field in model._meta.local_many_to_many]
    between += [each.field.remote_field.through for each in model._meta.related_objects if each.many_to_many]
    found: dict[str, frozenset[str]] = {model._meta.db_table: frozenset()}
    for each in between:
        if each._meta.auto_created:
            found[each._meta.db_table] = frozenset(field.column for field in each._meta.local_fields)
    pointing = [each.field for each in model._meta.related_objects if not each.many_to_many and each.field.concrete]
    for field in pointing:
        table = field.model._meta.db_table
        found[table] = found.get(table, frozenset()) | {field.column}
    return found


def tables_of(model: Any) -> set[str]:
    """A model's table and those of its ManyToManyFields."""
    between = [field.remote_field.through._meta for field in model._meta.local_many_to_many]
    return {model._meta.db_table, *(each.db_table for each in between if each.auto_created)}


def comment(operation: Any, app: str, before: ProjectState, after: ProjectState, setting: Setting) -> Judged:
    if not allowed(operation, model_of(after, app, operation.name), setting):
        return Judged(STATE)
    return Judged(EXPAND, "a comment")


def order(operation: Any, app: str, before: ProjectState, after: ProjectState, setting: Setting) -> Judged:
    old, new = model_of(before, app, operation.name), model_of(after, app, operation.name)
    if not allowed(operation, new, setting):
        return Judged(STATE)
    had, has = old._meta.order_with_respect_to, new._meta.order_with_respect_to
    if has and not had:
        field = new._meta.get_field("_order")
        if not field.has_default():
            field = field.clone()
            field.set_attributes_from_name("_order")
            field.default = 0
        return fields.added(old, field, setting)
    if had and not has:
        return fields.removed(old, old._meta.get_field("_order"), setting)
    return Judged(STATE)


def add_field(operation: Any, app: str, before: ProjectState, after: ProjectState, setting: Setting) -> Judged:
    model = model_of(after, app, operation.model_name)
    if not allowed(operation, model, setting):
        return Judged(STATE)
    return fields.added(model, fields.given(model._meta.get_field(operation.name), operation), setting)


def remove_field(operation: Any, app: str, before: ProjectState, after: ProjectState, setting: Setting) -> Judged:
    model = model_of(before, app, operation.model_name)
    if not allowed(operation, model, setting):
        return Judged(STATE)
    return fields.removed(model, model._meta.get_field(operation.name), setting)


def alter_field(operation: Any, app: str, before: ProjectState, after: ProjectState, setting: Setting) -> Judged:
    old, new = model_of(before, app, operation.model_name), model_of(after, app, operation.model_name)
    if not allowed(operation, new, setting):
        return Judged(STATE)
    return altered(old, old._meta.get_field(operation.name), new._meta.get_field(operation.name), setting)


def rename_field(operation: Any, app: str, before: ProjectState, after: ProjectState, setting: Setting) -> Judged:
    old, new = model_of(before, app, operation.model_name), model_of(after, app, operation.model_name)
    if not allowed(operation, new, setting):
        return Judged(STATE)
    return altered(old, old._meta.get_field(operation.old_name), new._meta.get_field(operation.new_name), setting)
