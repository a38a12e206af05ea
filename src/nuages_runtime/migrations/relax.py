"""What a table must stop to demand while a column of it, or all of it, is there for old code alone.

New code leaves the column out of its INSERTs: it gets a default, or may be NULL. New code deletes rows that the old
column or table refers to, and does not know that it does: the foreign key goes. Each with what undoes it.
"""

# mypy: disable-error-code=import-not-found

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from nuages_runtime.migrations.forms import quoted

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

_COLUMN = """
    SELECT a.attnotnull, d.adrelid IS NOT NULL OR a.attidentity <> '' OR a.attgenerated <> ''
    FROM pg_catalog.pg_attribute a
    LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = to_regclass(%s) AND a.attname = %s AND NOT a.attisdropped
"""
_FOREIGN = """
    SELECT o.conname, pg_catalog.pg_get_constraintdef(o.oid) FROM pg_catalog.pg_constraint o
    WHERE o.conrelid = to_regclass(%s) AND o.contype = 'f' AND (%s = '' OR EXISTS (
        SELECT 1 FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = o.conrelid AND a.attname = %s AND a.attnum = ANY(o.conkey)))
"""
# Constraints and unique indexes that a default of ours could violate; NULL violates none.
_HELD = """
    SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_attribute a
        JOIN pg_catalog.pg_constraint o ON o.conrelid = a.attrelid AND a.attnum = ANY(o.conkey)
        WHERE a.attrelid = to_regclass(%s) AND a.attname = %s AND o.contype IN ('u', 'c', 'x', 'f'))
    OR EXISTS (SELECT 1 FROM pg_catalog.pg_attribute a
        JOIN pg_catalog.pg_index i ON i.indrelid = a.attrelid AND i.indisunique
        WHERE a.attrelid = to_regclass(%s) AND a.attname = %s
          AND (a.attnum = ANY(i.indkey) OR i.indexprs IS NOT NULL OR i.indpred IS NOT NULL))
"""


class Relaxed(NamedTuple):
    """One statement, and what undoes it."""

    sql: str
    undo: str


def column(connection: BaseDatabaseWrapper, table: str, name: str, fill: str | None) -> list[Relaxed]:
    """What a column stops to demand; `fill` is SQL of a default that old code can read, None where there is none."""
    where, its = quoted(table), quoted(name)
    made = list(foreign(connection, table, name))
    rows = _rows(connection, _COLUMN, [where, name])
    if not rows or not rows[0][0] or rows[0][1]:
        return made
    free = not _rows(connection, _HELD, [where, name, where, name])[0][0]
    alter = f"ALTER TABLE {where} ALTER COLUMN {its}"
    if fill is not None and free:
        return [*made, Relaxed(f"{alter} SET DEFAULT {fill}", f"{alter} DROP DEFAULT")]
    return [*made, Relaxed(f"{alter} DROP NOT NULL", f"{alter} SET NOT NULL")]


def foreign(connection: BaseDatabaseWrapper, table: str, name: str = "") -> list[Relaxed]:
    """The foreign keys of a table, or of one column of it."""
    where = quoted(table)
    return [
        Relaxed(
            f"ALTER TABLE {where} DROP CONSTRAINT {quoted(key)}",
            f"ALTER TABLE {where} ADD CONSTRAINT {quoted(key)} {definition.removesuffix(' NOT VALID')}",
        )
        for key, definition in _rows(connection, _FOREIGN, [where, name, name])
    ]


def fill(editor: Any, field: Any) -> str | None:
    """A default for rows that new code writes, as SQL: what old code expects to read there; None for NULL."""
    if field.unique or field.remote_field:
        return None
    value = editor.effective_default(field)
    kind = field.get_internal_type()
    if value is None:
        return "''" if field.empty_strings_allowed and kind in {"CharField", "TextField", "SlugField"} else None
    moving = callable(field.default) or getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False)
    if moving and kind in {"DateTimeField", "DateField", "TimeField"}:
        return {"DateTimeField": "now()", "DateField": "CURRENT_DATE", "TimeField": "LOCALTIME"}[kind]
    if moving and kind == "UUIDField":
        return "gen_random_uuid()"
    return str(editor.connection.ops.compose_sql("%s", [value]))


def _rows(connection: BaseDatabaseWrapper, sql: str, values: list[object]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())
