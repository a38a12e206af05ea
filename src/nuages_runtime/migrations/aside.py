"""What is dropped is put aside first: a table as it is, a column beside the keys of its rows, for 30 days.

In the schema nuages_aside; where the user may make none, beside the others, under a name that begins with it.
"""

# mypy: disable-error-code=import-not-found

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nuages_runtime.migrations.forms import quoted
from nuages_runtime.migrations.journal import Entry, Journal

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

SCHEMA = "nuages_aside"
DAYS = 30

_KEY = """
    SELECT a.attname FROM pg_catalog.pg_index i
    JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)
    WHERE i.indrelid = to_regclass(%s) AND i.indisprimary
"""
_INCOMING = """
    SELECT o.conrelid::regclass::text, o.conname FROM pg_catalog.pg_constraint o
    WHERE o.confrelid = to_regclass(%s) AND o.contype = 'f' AND o.conrelid <> o.confrelid
"""
# What has a name of its own beside the table's, and goes with it: its indexes and its sequences.
_BELONGING = """
    SELECT c.relkind, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
    WHERE i.indrelid = to_regclass(%s)
    UNION ALL
    SELECT c.relkind, c.relname FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_depend d ON d.objid = c.oid AND d.deptype IN ('a', 'i')
    WHERE d.refobjid = to_regclass(%s) AND c.relkind = 'S'
"""
_MAY = """
    SELECT to_regnamespace(%s) IS NOT NULL, has_database_privilege(current_database(), 'CREATE')
"""


def column(journal: Journal, entry: Entry) -> None:
    """Copy a column with its rows' keys, once; reads only. In the transaction that is open."""
    connection = journal.connection
    table, name = quoted(entry.table_name), quoted(entry.column_name)
    if there(journal, entry) or not _exists(connection, table):
        return
    keys = [quoted(row[0]) for row in _rows(connection, _KEY, [table]) if quoted(row[0]) != name]
    target = _target(connection, f"{entry.table_name}__{entry.column_name}", entry)
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
    for kind, belonging in _rows(connection, _BELONGING, [name, name]):
        what = "SEQUENCE" if kind in {"S", b"S"} else "INDEX"
        own = quoted(_numbered(belonging, entry))
        _run(connection, f"ALTER {what} {quoted(belonging)} RENAME TO {own}")
    target = _target(connection, entry.table_name, entry)
    *schema, last = target.split(".", 1)
    _run(connection, f"ALTER TABLE {name} RENAME TO {last}")
    if schema:
        _run(connection, f"ALTER TABLE {last} SET SCHEMA {SCHEMA}")
    _remember(journal, entry, target)


def expire(journal: Journal, days: int = DAYS) -> list[str]:
    """Drop for good what lies there longer than that; returns the tables."""
    gone = []
    for entry in journal.pending("aside"):
        with journal.connection.cursor() as cursor:
            cursor.execute("SELECT %s < now() - make_interval(days => %s)", [entry.created, days])
            late = cursor.fetchone()[0]
        if late:
            _run(journal.connection, f"DROP TABLE IF EXISTS {entry.table_name}")
            journal.finish(entry)
            gone.append(entry.table_name)
    return gone


def _target(connection: BaseDatabaseWrapper, name: str, entry: Entry) -> str:
    there, may = _rows(connection, _MAY, [SCHEMA])[0]
    if not there and not may:
        return quoted(_numbered(f"{SCHEMA}_{name}", entry))
    if not there:
        _run(connection, f"CREATE SCHEMA {SCHEMA}")
    return f"{SCHEMA}.{quoted(_numbered(name, entry))}"


def _numbered(name: str, entry: Entry) -> str:
    end = f"__{entry.id}"
    return name[: 63 - len(end)] + end


def _remember(journal: Journal, entry: Entry, target: str) -> None:
    journal.add(
        Entry(
            release=entry.release,
            app=entry.app,
            migration=entry.migration,
            operation=entry.operation,
            kind="aside",
            text=f"{entry.table_name} {entry.column_name}".strip(),
            table_name=target,
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
    name = found.table_name
    if name.startswith(f"{SCHEMA}."):
        schema = _rows(connection, "SELECT quote_ident(current_schema())", [])[0][0]
        _run(connection, f"ALTER TABLE {name} SET SCHEMA {schema}")
        name = name.split(".", 1)[1]
    _run(connection, f"ALTER TABLE {name} RENAME TO {quoted(entry.table_name)}")
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
