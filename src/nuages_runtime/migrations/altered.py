"""The class of an AlterField or a RenameField: everything that the schema editor would change, each by itself.

Both fields are as the states of the migrations have them, bound to their models. What each is in the database is asked
of Django (`db_parameters`), so that nothing is decided here that the schema editor of that Django would not do.
"""

# mypy: disable-error-code=import-not-found

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import connections, models

from nuages_runtime.migrations import types
from nuages_runtime.migrations.fields import has_db_default, index_gone, parameters, type_of
from nuages_runtime.migrations.judged import CONTRACT, EXPAND, STATE, UNSAFE, Judged, Setting, worst

_ONE = "one migration that says where both lead; or release the first change before the second"
_NEW_FIELD = "add a new field of the new type, fill it by a backfill, and remove the old one in a later release"


def altered(model: Any, old: Any, new: Any, setting: Setting) -> Judged:
    """AlterField and RenameField: two fields of one model, before and after."""
    if old.many_to_many or new.many_to_many:
        return _altered_many_to_many(old, new, setting)
    old_type, new_type = type_of(old, setting), type_of(new, setting)
    if old_type is None and new_type is None:
        return Judged(STATE)
    table = model._meta.db_table
    if old_type is None or new_type is None or _regenerated(old, new):
        return Judged(
            UNSAFE,
            f"Django itself refuses to alter {table}.{old.column or new.column} that way",
            "remove the field, and add it under another name",
        )
    parts = list(_changes(table, old, new, setting))
    if not setting.knows(table) and parts:
        return Judged(EXPAND, f"the running code does not know {table}")
    if setting.waits(table, old.column):
        parts = [_after_the_first(part, table, old, new) for part in parts]
    return worst(parts)


def _after_the_first(part: Judged, table: str, old: Any, new: Any) -> Judged:
    """A second change of a column, the first of which is held back: what loosens may follow it, the rest can't."""
    if part.kind != EXPAND:
        return part
    name = f"{table}.{old.column}"
    if _alike(old, new):
        held = frozenset({(table, new.column)})
        return Judged(CONTRACT, f"an earlier change of {name} waits until no old pod is left", _ONE, holds=held)
    return Judged(UNSAFE, f"an earlier change of {name} waits until no old pod is left, and would undo this one", _ONE)


def _alike(old: Any, new: Any) -> bool:
    """Whether the two differ in neither type nor default of the database."""
    one, other = (
        {
            name: value
            for name, value in field.deconstruct()[3].items()
            if name in {"max_length", "max_digits", "db_default"}
        }
        for field in (old, new)
    )
    return one == other and type(old) is type(new)


def _changes(table: str, old: Any, new: Any, setting: Setting) -> Iterator[Judged]:
    """Each thing in turn that the schema editor would change."""
    name = f"{table}.{old.column}"
    if old.column != new.column:
        yield _renamed(table, old.column, new.column, setting)
    if old.primary_key != new.primary_key:
        yield Judged(UNSAFE, f"{table} gets another primary key", "a new model, filled by a backfill")
    yield from _type_changes(table, old, new, setting)
    if old.null and not new.null and not setting.nullable(table, old.column):
        yield Judged(EXPAND, f"the running code writes no NULL to {name}")
    elif old.null and not new.null and has_db_default(old) and not setting.knows(table, old.column):
        yield Judged(EXPAND, f"the database fills in {name}, which the running code leaves out")
    elif old.null and not new.null:
        yield Judged(
            CONTRACT,
            f"the running code may write NULL to {name}",
            "fill the NULLs by a backfill; the column becomes NOT NULL when no old pod is left",
            holds=frozenset({(table, new.column)}),
        )
    elif new.null and not old.null:
        yield Judged(EXPAND, f"{name} may be NULL; the running code must stand reading that")
    yield from _default_changes(table, old, new, setting)
    yield from _constraint_changes(table, old, new, setting)
    if getattr(old, "db_comment", None) != getattr(new, "db_comment", None):
        yield Judged(EXPAND, "a comment")


def _renamed(table: str, old: str, new: str, setting: Setting) -> Judged:
    if not setting.knows(table, old):
        return Judged(EXPAND, f"the running code does not know {table}.{old}")
    return Judged(
        UNSAFE,
        f"the running code reads and writes {table}.{old}, which would be {new} at once",
        f'keep the column: db_column="{old}" makes it a matter of code alone; '
        "or add the new field, copy by a backfill, and remove the old one in a later release",
    )


def _type_changes(table: str, old: Any, new: Any, setting: Setting) -> Iterator[Judged]:
    was, becomes = parameters(old, setting), parameters(new, setting)
    name, what = f"{table}.{old.column}", f"{was['type']} to {becomes['type']}"
    tables = (table, *_referring(old))
    kind = types.change(was["type"], becomes["type"])
    known = setting.knows(table, old.column)
    if kind == types.WIDER:
        yield Judged(EXPAND, f"{name}: {what} takes each old value as it is")
    elif kind == types.SHRINKS and known:
        yield Judged(
            CONTRACT,
            f"{name}: {what}, and the running code may write what does not fit",
            "shorten what is there by a backfill; the column shrinks when no old pod is left",
            holds=frozenset({(table, new.column)}),
        )
    elif kind == types.OTHER and known:
        yield Judged(UNSAFE, f"{name}: {what}, and the running code knows only the one", _NEW_FIELD)
    elif kind != types.SAME and setting.small(*tables):
        yield Judged(EXPAND, f"{name}: {what} rewrites {', '.join(tables)}, which is quickly done")
    elif kind != types.SAME:
        why = f"{name}: {what} rewrites {', '.join(tables)}, and nobody reads or writes it meanwhile"
        yield Judged(UNSAFE, why, _NEW_FIELD)
    yield from _identity_change(name, old, new, setting)
    if was.get("collation") != becomes.get("collation"):
        yield _collated(table, old, setting)


def _identity_change(name: str, old: Any, new: Any, setting: Setting) -> Iterator[Judged]:
    connection = connections[setting.alias]
    was, becomes = (bool(field.db_type_suffix(connection=connection)) for field in (old, new))
    if becomes and not was:
        yield Judged(EXPAND, f"the database counts {name} where the running code leaves it out")
    elif was and not becomes:
        yield Judged(
            UNSAFE,
            f"the running code has the database count {name}",
            "a new field, filled by a backfill",
        )


def _collated(table: str, field: Any, setting: Setting) -> Judged:
    if not (field.db_index or field.unique) or setting.small(table):
        return Judged(EXPAND, "another collation; texts stay as they are")
    return Judged(
        UNSAFE,
        f"another collation builds the indexes of {table}.{field.column} anew, and nobody reads or writes it meanwhile",
        "a new field with that collation, filled by a backfill",
    )


def _default_changes(table: str, old: Any, new: Any, setting: Setting) -> Iterator[Judged]:
    had, has = has_db_default(old), has_db_default(new)
    if has and (not had or old.db_default != new.db_default):
        yield Judged(EXPAND, f"another default in the database for {table}.{new.column}")
    elif had and not has and setting.knows(table, old.column):
        yield Judged(
            CONTRACT,
            f"the running code has the database fill in {table}.{old.column}",
            "nothing to do: the default goes when no old pod is left",
            holds=frozenset({(table, new.column)}),
        )
    elif had and not has:
        yield Judged(EXPAND, f"the running code does not know {table}.{old.column}")


def _constraint_changes(table: str, old: Any, new: Any, setting: Setting) -> Iterator[Judged]:
    name = f"{table}.{old.column}"
    here = setting.knows(table, old.column)
    unique_added = new.unique and not new.primary_key and (not old.unique or (old.primary_key and not new.primary_key))
    if unique_added and (here or not new.null):
        yield Judged(
            CONTRACT,
            f"the running code may write a value to {name} that is there already",
            "remove what is there twice by a backfill; the column becomes unique when no old pod is left",
            holds=frozenset({(table, new.column)}),
        )
    elif unique_added:
        yield Judged(EXPAND, f"the running code leaves {name} out")
    elif old.unique and not old.primary_key and not new.unique:
        yield Judged(EXPAND, f"{name} need not be unique any more")
    indexed, was_indexed = (field.db_index and not field.unique for field in (new, old))
    if indexed and not was_indexed:
        yield Judged(EXPAND, "an index more")
    elif was_indexed and not new.db_index and not new.unique:
        yield index_gone(table, new.column, setting)
    yield from _foreign_changes(table, old, new)
    was, becomes = parameters(old, setting).get("check"), parameters(new, setting).get("check")
    if old.column == new.column and was != becomes:
        if becomes:
            yield Judged(
                CONTRACT,
                f"the running code may write to {name} what the new check refuses",
                "put right what is there by a backfill; the check comes when no old pod is left",
                holds=frozenset({(table, new.column)}),
            )
        else:
            yield Judged(EXPAND, f"{name} loses its check")


def _foreign_changes(table: str, old: Any, new: Any) -> Iterator[Judged]:
    name = f"{table}.{old.column}"
    target, before = _target(new), _target(old)
    leads, led = _leads(new), _leads(old)
    if leads and led and leads != led:
        # Whether or not the database holds it: what is written there is the key of another row.
        yield Judged(
            UNSAFE,
            f"{name} refers to {'.'.join(leads)} and no more to {'.'.join(led)}, which the running code writes",
            "add a second field, fill it by a backfill, and remove the old one in a later release",
        )
    elif target and not before:
        yield Judged(
            CONTRACT,
            f"the running code may write to {name} what {target[0]} does not have",
            "remove what leads nowhere by a backfill; the foreign key comes when no old pod is left",
            holds=frozenset({(table, new.column)}),
        )
    elif before and not target:
        yield Judged(EXPAND, f"{name} is no foreign key any more")
    elif target and _on_delete(old) != _on_delete(new):
        if _on_delete(new):
            yield Judged(EXPAND, f"the database itself acts when what {name} refers to is deleted")
        else:
            yield Judged(
                CONTRACT,
                f"the running code leaves it to the database what a delete does to {name}",
                "nothing to do: the foreign key is made anew when no old pod is left",
                holds=frozenset({(table, new.column)}),
            )


def _altered_many_to_many(old: Any, new: Any, setting: Setting) -> Judged:
    if not (old.many_to_many and new.many_to_many):
        return Judged(
            UNSAFE,
            f"Django itself refuses to alter {old} into {new}",
            "remove the field, and add it under another name",
        )
    was, becomes = old.remote_field.through._meta, new.remote_field.through._meta
    if bool(was.auto_created) != bool(becomes.auto_created):
        return Judged(
            UNSAFE,
            f"Django itself refuses to put another model between: {was.db_table}",
            'SeparateDatabaseAndState with a model of the same table (db_table = "' + was.db_table + '") and no '
            "database_operations",
        )
    if not was.auto_created or _shape(was) == _shape(becomes):
        return Judged(STATE)
    if not setting.knows(was.db_table):
        return Judged(EXPAND, f"the running code does not know {was.db_table}")
    return Judged(
        UNSAFE,
        f"the running code reads and writes {was.db_table} as it is",
        f'keep the table: db_table="{was.db_table}" on the field; or a second field, filled by a backfill',
    )


def _shape(options: Any) -> tuple[object, ...]:
    return (
        options.db_table,
        *((field.column, _target(field)) for field in options.local_fields),
    )


def _regenerated(old: Any, new: Any) -> bool:
    was, becomes = getattr(old, "generated", False), getattr(new, "generated", False)
    if was != becomes:
        return True
    if not was:
        return False
    if old.db_persist != new.db_persist:
        return True
    return bool(old.expression != new.expression)


def _leads(field: Any) -> tuple[str, str] | None:
    """(table, column) that a foreign key refers to, also one that the database does not hold."""
    if not field.remote_field or field.many_to_many:
        return None
    return field.remote_field.model._meta.db_table, field.target_field.column


def _target(field: Any) -> tuple[str, str] | None:
    """(table, column) that a foreign key of the database refers to."""
    return _leads(field) if getattr(field, "db_constraint", False) else None


def _on_delete(field: Any) -> str:
    """What the database does by itself (Django 6.1: DB_CASCADE and its like); "" where Django does it."""
    act = getattr(field.remote_field, "on_delete", None)
    return type(act).__name__ + str(getattr(act, "operation", "")) if hasattr(act, "on_delete_sql") else ""


def _referring(field: Any) -> tuple[str, ...]:
    """The tables whose foreign keys are of this column's type because they refer to it."""
    if not (field.primary_key or field.unique):
        return ()
    related = field.model._meta._get_fields(forward=False, include_hidden=True, include_parents=False)
    return tuple(
        sorted(
            {
                other.related_model._meta.db_table
                for other in related
                if other.auto_created
                and other.concrete is False
                and isinstance(getattr(other, "field", None), models.ForeignKey)
                and other.field.target_field == field
            }
        )
    )
