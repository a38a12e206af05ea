"""What a database is, by its own catalogue: tables, columns, and what it holds its rows to.

Only catalogues are read: no table is locked, none is counted, and a statement that waits for a lock delays nothing.
"""

# mypy: disable-error-code=import-not-found

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from nuages_runtime.migrations.forms import IN_SCHEMA

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

# Partitions are a part of their table. `relpages` and `reltuples` are estimates that ANALYZE leaves there; -1: never.
TABLES = """
    SELECT c.oid, CASE WHEN n.nspname || '"."' || c.relname = ANY(%s) THEN n.nspname || '"."' || c.relname
                       ELSE c.relname END,
           c.reltuples::bigint, c.relpages::bigint * current_setting('block_size')::bigint
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
      AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg_temp%%'
      AND (n.nspname || '"."' || c.relname = ANY(%s)
           OR CASE WHEN %s::text IS NULL THEN pg_catalog.pg_table_is_visible(c.oid) ELSE n.nspname = %s END)
"""
COLUMNS = """
    SELECT a.attrelid, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,
           d.adrelid IS NOT NULL OR a.attidentity <> '', a.attgenerated <> '',
           coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid) NOT LIKE '%%(%%', false)
    FROM pg_catalog.pg_attribute a
    LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = ANY(%s) AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attrelid, a.attnum
"""
_KEYS = "i.indkey[0:i.indnkeyatts-1]"
_NAMES = """ARRAY(SELECT a.attname::text FROM unnest({keys}) WITH ORDINALITY AS k(number, place)
            JOIN pg_catalog.pg_attribute a ON a.attrelid = {table} AND a.attnum = k.number ORDER BY k.place)"""
CONSTRAINTS = f"""
    SELECT o.conrelid, o.conname, o.contype::text, {_NAMES.format(keys="o.conkey", table="o.conrelid")},
           f.relname, {_NAMES.format(keys="o.confkey", table="o.confrelid")}, o.confdeltype::text,
           CASE WHEN o.contype IN ('c', 'x') OR pg_catalog.pg_get_constraintdef(o.oid) LIKE '%%NULLS NOT DISTINCT%%'
                THEN replace(pg_catalog.pg_get_constraintdef(o.oid), ' NOT VALID', '') ELSE '' END
    FROM pg_catalog.pg_constraint o LEFT JOIN pg_catalog.pg_class f ON f.oid = o.confrelid
    WHERE o.conrelid = ANY(%s) AND o.contype IN ('p', 'u', 'c', 'f', 'x')
"""  # noqa: S608 - made of constants
INDEXES = f"""
    SELECT i.indrelid, c.relname, i.indisunique, {_NAMES.format(keys=_KEYS, table="i.indrelid")},
           CASE WHEN i.indpred IS NULL AND i.indexprs IS NULL
                 AND pg_catalog.pg_get_indexdef(i.indexrelid) NOT LIKE '%%NULLS NOT DISTINCT%%' THEN '' ELSE
                regexp_replace(pg_catalog.pg_get_indexdef(i.indexrelid), '^.* USING ', '') END
    FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
    WHERE i.indrelid = ANY(%s)
      AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint o
                      WHERE o.conindid = i.indexrelid AND o.conrelid = i.indrelid AND o.contype IN ('p', 'u', 'x'))
"""  # noqa: S608 - made of constants
KINDS = {"p": "primary", "u": "unique", "c": "check", "f": "foreign", "x": "exclude"}
ON_DELETE = {"a": "", "r": "", "c": "cascade", "n": "null", "d": "default"}
OURS = "nuages_journal"


def live(connection: BaseDatabaseWrapper, namespace: str | None = None) -> dict[str, Any]:
    """The tables that a query sees without naming a schema; with `namespace` those of that PostgreSQL schema alone.
    And those of models that name their schema.

    Of a database that is not PostgreSQL, what Django's introspection tells: no types, which are then not compared
    (SQLite tells them).
    """
    if connection.vendor != "postgresql":
        return _introspected(connection)
    with connection.cursor() as cursor:
        elsewhere = _elsewhere()
        cursor.execute(TABLES, [elsewhere, elsewhere, namespace, namespace])
        rows = [row for row in cursor.fetchall() if row[1] != OURS]
        tables: dict[int, dict[str, Any]] = {
            oid: {"columns": {}, "constraints": {}, "rows": max(count, 0), "bytes": size}
            for oid, _, count, size in rows
        }
        oids = list(tables)
        cursor.execute(COLUMNS, [oids])
        for oid, name, kind, null, default, generated, constant in cursor.fetchall():
            column = {"type": spelled(kind), "null": null, "default": default, "generated": generated}
            tables[oid]["columns"][name] = {**column, "constant": constant}
        cursor.execute(CONSTRAINTS, [oids])
        for oid, name, kind, columns, target, keys, deleted, text in cursor.fetchall():
            tables[oid]["constraints"][name] = _constraint(
                KINDS[kind], columns, f"{target}.{','.join(keys)}" if target else None, text, ON_DELETE.get(deleted, "")
            )
        cursor.execute(INDEXES, [oids])
        for oid, name, unique, columns, text in cursor.fetchall():
            kind = "unique" if unique else "index"
            tables[oid]["constraints"][name] = _constraint(kind, columns, None, text)
    return {name: tables[oid] for oid, name, _, _ in rows}


def _elsewhere() -> list[str]:
    """The tables of models that name a schema: `other"."item`, which Django puts quotes around."""
    from django.apps import apps  # noqa: PLC0415 - Django is the image's

    return [model._meta.db_table for model in apps.get_models() if IN_SCHEMA in model._meta.db_table]


def spelled(kind: str) -> str:
    """A type in one spelling, whether a model or the catalogue wrote it: `varchar(100)`, `numeric(5,2)`, `time`."""
    kind = re.sub(r'^(?:"[^"]+"|\w+)\.', "", kind.strip().lower())
    kind = re.sub(r"\s*,\s*", ",", re.sub(r"\s+", " ", kind))
    kind = re.sub(r"\[\d+\]", "[]", kind)
    kind = kind.replace("character varying", "varchar").replace(" without time zone", "")
    kind = re.sub(r"^(?:character|bpchar)(?=\(|$|\[)", "char", kind)
    return re.sub(r"^(?:serial|int4|int)(?=$|\[)", "integer", re.sub(r"^bigserial$", "bigint", kind))


def _constraint(
    kind: str, columns: list[str], references: str | None, text: str = "", on_delete: str = ""
) -> dict[str, Any]:
    made = {"kind": kind, "columns": columns, "references": references, "text": text, "on_delete": on_delete}
    return {name: value for name, value in made.items() if value or name in ("kind", "columns", "references")}


def _introspected(connection: BaseDatabaseWrapper) -> dict[str, Any]:
    tables: dict[str, Any] = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor, include_views=True):
            if table == OURS:
                continue
            types: dict[str, str] = {}
            if connection.vendor == "sqlite":
                cursor.execute(f"PRAGMA table_xinfo({connection.ops.quote_name(table)})")
                types = {row[1]: spelled(row[2]) for row in cursor.fetchall()}
            constraints = connection.introspection.get_constraints(cursor, table)
            keys = {name for found in constraints.values() if found["primary_key"] for name in found["columns"]}
            tables[table] = {
                "columns": {
                    column.name: {
                        "type": types.get(column.name, ""),
                        "null": bool(column.null_ok) and column.name not in keys,
                        # An integer key fills itself in (SQLite's rowid, MySQL's AUTO_INCREMENT).
                        "default": column.default is not None or (len(keys) == 1 and column.name in keys),
                        "generated": False,
                    }
                    for column in connection.introspection.get_table_description(cursor, table)
                },
                "constraints": {
                    name: _constraint(
                        _kind(found),
                        list(found["columns"] or ()),
                        ".".join(found["foreign_key"]) if found["foreign_key"] else None,
                    )
                    for name, found in constraints.items()
                },
            }
    return tables


def _kind(found: dict[str, Any]) -> str:
    if found["primary_key"]:
        return "primary"
    if found["foreign_key"]:
        return "foreign"
    return "check" if found["check"] else "unique" if found["unique"] else "index"
