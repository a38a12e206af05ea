"""What is dropped is put aside first: a table as it is, a column beside the keys of its rows, for 30 days.

In the schema nuages_aside; where the user may make none, beside the others, under a name that begins with it.
"""

# mypy: disable-error-code=import-not-found

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from nuages_runtime.migrations.forms import IN_SCHEMA, quoted
from nuages_runtime.migrations.journal import Entry, Journal

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

SCHEMA = "nuages_aside"
DAYS = 30
LONGEST = 63
"""Bytes of a name, in PostgreSQL."""

_KEY = """
    SELECT a.attname FROM pg_catalog.pg_index i
    JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)
    WHERE i.indrelid = to_regclass(%s) AND i.indisprimary
"""
_INCOMING = """
    SELECT o.conrelid::regclass::text, o.conname FROM pg_catalog.pg_constraint o
    WHERE o.confrelid = to_regclass(%s) AND o.contype = 'f' AND o.conrelid <> o.confrelid
"""
_HAS = """
    SELECT 1 FROM pg_catalog.pg_attribute WHERE attrelid = to_regclass(%s) AND attname = %s AND NOT attisdropped
"""
# What has a name of its own beside the table's, and goes with it: its indexes and its sequences.
_BELONGING = """
    SELECT c.relkind::text, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
    WHERE i.indrelid = to_regclass(%s)
    UNION ALL
    SELECT c.relkind::text, c.relname FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_depend d ON d.objid = c.oid AND d.deptype IN ('a', 'i')
    WHERE d.refobjid = to_regclass(%s) AND c.relkind = 'S'
"""
_MAY = """
    SELECT to_regnamespace(%s) IS NOT NULL,
        CASE WHEN to_regnamespace(%s) IS NULL THEN has_database_privilege(current_database(), 'CREATE')
             ELSE has_schema_privilege(to_regnamespace(%s)::oid, 'CREATE')
              AND has_schema_privilege(to_regnamespace(%s)::oid, 'USAGE') END
"""
_WHERE = """
    SELECT quote_ident(n.nspname) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid = to_regclass(%s)
"""


def column(journal: Journal, entry: Entry) -> None:
    """Copy a column with its rows' keys; reads only. In the transaction that is open.

    A copy of an earlier try is replaced: code of before may have written to the column since.
    """
    connection = journal.connection
    table, name = quoted(entry.table_name), quoted(entry.column_name)
    if not _rows(connection, _HAS, [table, entry.column_name]):
        return
    if earlier := _put(journal, entry):
        _run(connection, f"DROP TABLE IF EXISTS {earlier.table_name}")
        journal.forget(earlier)
    keys = [quoted(row[0]) for row in _rows(connection, _KEY, [table]) if quoted(row[0]) != name]
    schema, last = _target(connection, f"{entry.table_name}__{entry.column_name}", table, entry)
    target = f"{schema}.{last}"
    _run(connection, f"CREATE TABLE {target} AS SELECT {', '.join([*keys, name])} FROM {table}")  # noqa: S608 - names of its own
    _remember(journal, entry, target)


def table(journal: Journal, entry: Entry) -> None:
    """Move a table away; whoever still refers to it stops to. In the transaction that is open."""
    connection = journal.connection
    name = quoted(entry.table_name)
    if not _exists(connection, name):
        return
    for other, key in _rows(connection, _INCOMING, [name]):
        _run(connection, f"ALTER TABLE {other} DROP CONSTRAINT {quoted(key)}")
    home = _rows(connection, _WHERE, [name])[0][0]
    schema, last = _target(connection, entry.table_name, name, entry)
    again = []
    for kind, belonging in _rows(connection, _BELONGING, [name, name]):
        what = "SEQUENCE" if kind == "S" else "INDEX"
        own = quoted(_numbered(belonging, entry))
        _run(connection, f"ALTER {what} {home}.{quoted(belonging)} RENAME TO {own}")
        again.append(f"ALTER {what} {home}.{own} RENAME TO {quoted(belonging)}")
    _run(connection, f"ALTER TABLE {name} RENAME TO {last}")
    if schema != home:
        _run(connection, f"ALTER TABLE {home}.{last} SET SCHEMA {schema}")
        again.insert(0, f"ALTER TABLE {schema}.{last} SET SCHEMA {home}")
    again.append(f"ALTER TABLE {home}.{last} RENAME TO {quoted(entry.table_name.split(IN_SCHEMA)[-1])}")
    _remember(journal, entry, f"{schema}.{last}", again)


def expire(journal: Journal, days: int = DAYS) -> list[str]:
    """Drop for good what lies there longer than that; returns the tables. One that somebody reads just now stays."""
    from django.db import DatabaseError, transaction  # noqa: PLC0415 - Django is the image's

    gone = []
    for entry in journal.pending("aside"):
        with journal.connection.cursor() as cursor:
            cursor.execute("SELECT %s < now() - make_interval(days => %s)", [entry.created, days])
            late = cursor.fetchone()[0]
        if not late:
            continue
        try:
            with transaction.atomic(journal.connection.alias):
                _run(journal.connection, f"DROP TABLE IF EXISTS {entry.table_name}")
                journal.finish(entry)
        except DatabaseError:
            if not journal.connection.is_usable():
                raise
            continue
        gone.append(entry.table_name)
    return gone


def _target(connection: BaseDatabaseWrapper, name: str, table: str, entry: Entry) -> tuple[str, str]:
    """Schema and name, in quotes, of what is put aside of a table: a name that is free."""
    name = name.replace(IN_SCHEMA, ".")
    there, may = _rows(connection, _MAY, [SCHEMA] * 4)[0]
    schema = SCHEMA if may else _rows(connection, _WHERE, [table])[0][0]
    if may and not there:
        _run(connection, f"CREATE SCHEMA {SCHEMA}")
    base = name if may else f"{SCHEMA}_{name}"
    made, number = quoted(_numbered(base, entry)), 1
    # Another schema of this database may have a journal with the same numbers.
    while _exists(connection, f"{schema}.{made}"):
        number += 1
        made = quoted(_numbered(base, entry, f"_{number}"))
    return schema, made


def _numbered(name: str, entry: Entry, more: str = "") -> str:
    """A name with the entry's number: 63 bytes at most, and no two that begin alike are the same."""
    end = f"__{entry.id}{more}"
    if len(f"{name}{end}".encode()) > LONGEST:
        end = f"_{hashlib.sha256(name.encode()).hexdigest()[:8]}{end}"
    return name.encode()[: LONGEST - len(end)].decode(errors="ignore") + end


def _remember(journal: Journal, entry: Entry, target: str, again: Collection[str] = ()) -> None:
    journal.add(
        Entry(
            release=entry.release,
            app=entry.app,
            migration=entry.migration,
            operation=entry.operation,
            kind="aside",
            text=f"{entry.table_name} {entry.column_name}".strip(),
            table_name=target,
            undo=json.dumps(list(again)) if again else "",
            note=str(entry.id),
        )
    )


def there(journal: Journal, entry: Entry) -> bool:
    """Whether what an entry drops lies aside."""
    return _put(journal, entry) is not None


def _exists(connection: BaseDatabaseWrapper, table: str) -> bool:
    return bool(_rows(connection, "SELECT to_regclass(%s) IS NOT NULL", [table])[0][0])


def _run(connection: BaseDatabaseWrapper, sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def _rows(connection: BaseDatabaseWrapper, sql: str, values: list[object]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def table_back(journal: Journal, entry: Entry) -> bool:
    """Move a table back to where it was; False where it is not there any more."""
    found = _put(journal, entry)
    connection = journal.connection
    if found is None or not _exists(connection, found.table_name) or _exists(connection, quoted(entry.table_name)):
        return False
    for sql in json.loads(found.undo):
        _run(connection, sql)
    journal.forget(found)
    return True


def column_back(journal: Journal, entry: Entry) -> None:
    """Fill a column that was made anew with what it held, where the keys of its rows still are."""
    found = _put(journal, entry)
    connection = journal.connection
    table, name = quoted(entry.table_name), quoted(entry.column_name)
    if found is None or not _exists(connection, found.table_name) or not _exists(connection, table):
        return
    keys = [quoted(row[0]) for row in _rows(connection, _KEY, [table])]
    if keys:
        same = " AND ".join(f"kept.{key} = now.{key}" for key in keys)
        run = f"UPDATE {table} now SET {name} = kept.{name} FROM {found.table_name} kept WHERE {same}"  # noqa: S608
        _run(connection, run)
        _run(connection, f"DROP TABLE {found.table_name}")
        journal.forget(found)


def _put(journal: Journal, entry: Entry) -> Entry | None:
    return next((found for found in journal.pending("aside") if found.note == str(entry.id)), None)
