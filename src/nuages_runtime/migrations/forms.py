"""Statements as Django writes them, and the form of each that blocks nobody. Pure: text in, text out.

Read from the final text rather than from Django's templates: so it holds for every Django, for PostGIS, and for fields
and indexes of others. What is not recognised runs as it is.

Locks: https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES
"""

from __future__ import annotations

import re
from typing import NamedTuple

TRANSACTION = ""
"""In a transaction of its own, with lock_timeout, tried again."""
SLOW = "slow"
"""The same without any timeout: its lock keeps nobody from reading or writing."""
CONCURRENT = "concurrent"
"""In no transaction; an index that an earlier try left invalid is built anew."""
BATCHES = "batches"
"""An UPDATE, a few pages of the table at a time."""
PYTHON = "python"
"""The operation itself, by the image's code."""
DROP = "drop"
"""What it drops is put aside first."""
SHRINK = "shrink"
"""A change of type that rewrites the table: only where that is quick."""

_NAME = r'(?:"(?:[^"]|"")+"|\w+)(?:\."(?:[^"]|"")+"|\.\w+)?'
_ALTER = rf"ALTER TABLE (?:ONLY )?(?P<table>{_NAME})"
_INDEX = re.compile(
    rf"CREATE (?P<unique>UNIQUE )?INDEX (?P<already>CONCURRENTLY )?(?:IF NOT EXISTS )?(?P<name>{_NAME}) "
    rf"ON (?:ONLY )?(?P<table>{_NAME})(?P<rest>.*)",
    re.DOTALL | re.IGNORECASE,
)
_DROP_INDEX = re.compile(
    rf"DROP INDEX (?P<already>CONCURRENTLY )?(?:IF EXISTS )?(?P<name>{_NAME})(?: CASCADE| RESTRICT)?\s*;?\s*",
    re.IGNORECASE,
)
_ADD = re.compile(
    rf"{_ALTER} ADD CONSTRAINT (?P<name>{_NAME}) (?P<what>(?P<kind>UNIQUE|FOREIGN KEY|CHECK)\b.*)",
    re.DOTALL | re.IGNORECASE,
)
_UNIQUE = re.compile(r"UNIQUE(?P<nulls> NULLS (?:NOT )?DISTINCT)? (?P<columns>\(.*?\))(?P<rest>.*)", re.DOTALL)
_FOREIGN = re.compile(
    rf"FOREIGN KEY \((?P<column>{_NAME})\) REFERENCES (?P<to>{_NAME}) ?\((?P<to_column>{_NAME})\)(?P<rest>.*)",
    re.DOTALL,
)
_DROP_CONSTRAINT = re.compile(
    rf"(?:SET CONSTRAINTS {_NAME} IMMEDIATE; )?{_ALTER} DROP CONSTRAINT (?:IF EXISTS )?(?P<name>{_NAME})"
    r"(?: CASCADE)?\s*;?\s*",
    re.IGNORECASE,
)
_COLUMN = re.compile(rf"{_ALTER} ALTER COLUMN (?P<column>{_NAME}) (?P<change>.*)", re.DOTALL | re.IGNORECASE)
_DROP_COLUMN = re.compile(
    rf"{_ALTER} DROP COLUMN (?:IF EXISTS )?(?P<column>{_NAME})(?: CASCADE)?\s*;?\s*", re.IGNORECASE
)
_DROP_TABLE = re.compile(rf"DROP TABLE (?:IF EXISTS )?(?P<table>{_NAME})(?: CASCADE)?\s*;?\s*", re.IGNORECASE)
_CREATE_TABLE = re.compile(rf"CREATE TABLE (?:IF NOT EXISTS )?(?P<table>{_NAME})", re.IGNORECASE)
_ADD_COLUMN = re.compile(rf"{_ALTER} ADD COLUMN (?P<column>{_NAME}) (?P<definition>.*)", re.DOTALL | re.IGNORECASE)
_FILL = re.compile(
    rf"UPDATE (?P<table>{_NAME}) SET (?P<column>{_NAME}) = (?P<value>.*) WHERE (?P=column) IS NULL"  # noqa: S608
    r"(?:; SET CONSTRAINTS ALL IMMEDIATE)?\s*",
    re.DOTALL | re.IGNORECASE,
)


class Step(NamedTuple):
    """One statement that runs by itself, after the commit."""

    kind: str
    """A kind of the journal."""
    sql: str
    undo: str = ""
    form: str = TRANSACTION


class Safe(NamedTuple):
    """A statement in the form that blocks nobody."""

    now: str
    """What runs in the migration's own transaction; "" for nothing."""
    after: tuple[Step, ...] = ()


def safe(sql: str) -> Safe:
    """One statement as what is quick enough for the migration's transaction, and what comes after it."""
    text = sql.strip()
    if found := _INDEX.fullmatch(text):
        return Safe("", (_index(found["unique"] or "", found["name"], found["table"], found["rest"]),))
    if found := _DROP_INDEX.fullmatch(text):
        return Safe("", (Step("index", f"DROP INDEX CONCURRENTLY IF EXISTS {found['name']}", form=CONCURRENT),))
    if found := _ADD.fullmatch(text):
        return Safe("", tuple(_constraint(found)))
    if (found := _COLUMN.fullmatch(text)) and found["change"].strip().upper() == "SET NOT NULL":
        return Safe("", tuple(not_null(found["table"], found["column"])))
    if fill := filled(text):
        return Safe("", (fill,))
    return Safe(text)


def _index(unique: str, name: str, table: str, rest: str) -> Step:
    return Step(
        "index",
        f"CREATE {unique}INDEX CONCURRENTLY {name} ON {table}{rest}",
        f"DROP INDEX IF EXISTS {name}",
        CONCURRENT,
    )


def _constraint(found: re.Match[str]) -> list[Step]:
    table, name, what = found["table"], found["name"], found["what"].rstrip("; \n")
    drop = f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}"
    if found["kind"].upper() == "UNIQUE" and (unique := _UNIQUE.fullmatch(what)):
        index = _index("UNIQUE ", name, table, f" {unique['columns']}{unique['nulls'] or ''}")
        attach = f"ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE USING INDEX {name}{unique['rest']}"
        return [index, Step("validate", attach, drop)]
    return [
        Step("validate", f"ALTER TABLE {table} ADD CONSTRAINT {name} {what} NOT VALID", drop),
        Step("validate", f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}", form=SLOW),
    ]


def not_null(table: str, column: str) -> list[Step]:
    """SET NOT NULL believes a CHECK that is validated, and does not read the table (PostgreSQL 12)."""
    name = quoted(f"nuages_{plain(column)[:40]}_not_null")
    drop = f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}"
    check = f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({column} IS NOT NULL) NOT VALID"
    return [
        Step("validate", check, drop),
        Step("validate", f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}", form=SLOW),
        Step(
            "validate",
            f"ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL",
            f"ALTER TABLE {table} ALTER COLUMN {column} DROP NOT NULL",
        ),
        Step("validate", drop),
    ]


def filled(sql: str) -> Step | None:
    """Django's UPDATE of the NULLs before NOT NULL, in batches; None where it is another statement."""
    found = _FILL.fullmatch(sql.strip())
    if found is None:
        return None
    table, column, value = found["table"], found["column"], found["value"]
    update = f"UPDATE {table} SET {column} = {value} WHERE {column} IS NULL"  # noqa: S608 - Django's own
    return Step("contract", update, form=BATCHES)


def add_column(sql: str, *, unique: bool, check: str) -> list[str]:
    """ADD COLUMN, and as statements of their own what in it would read the whole table: its CHECK and its UNIQUE.

    Args:
        sql: as Django wrote it.
        unique: whether the field is.
        check: the condition that Django wrote into the definition, or "".
    """
    found = _ADD_COLUMN.fullmatch(sql.strip())
    if found is None:
        return [sql]
    table, column, definition = found["table"], found["column"], found["definition"]
    base = f"{plain(table)}_{plain(column)}"[:54]
    others = []
    if check and definition.endswith(f" CHECK ({check})"):
        definition = definition.removesuffix(f" CHECK ({check})")
        others.append(f"ALTER TABLE {table} ADD CONSTRAINT {quoted(f'{base}_check')} CHECK ({check})")
    if unique and (cut := re.fullmatch(r"(.*NULL) UNIQUE", definition, re.DOTALL)):
        definition = cut[1]
        others.append(f"ALTER TABLE {table} ADD CONSTRAINT {quoted(f'{base}_key')} UNIQUE ({column})")
    return [f"ALTER TABLE {table} ADD COLUMN {column} {definition}", *others]


class Nullable(NamedTuple):
    """ADD COLUMN that every row has a value for at once, and what demands one later."""

    sql: str
    demand: str


def nullable(sql: str) -> Nullable | None:
    """A column that is NOT NULL and has no default, without NOT NULL; None for other statements."""
    found = _ADD_COLUMN.fullmatch(sql.strip())
    if found is None or " NOT NULL" not in found["definition"] or " DEFAULT " in found["definition"]:
        return None
    table, column = found["table"], found["column"]
    definition = found["definition"].replace(" NOT NULL", " NULL", 1)
    demand = f"ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL"
    return Nullable(f"ALTER TABLE {table} ADD COLUMN {column} {definition}", demand)


class Named(NamedTuple):
    """What a statement is about, without quotes."""

    table: str
    column: str = ""
    name: str = ""
    change: str = ""


def created_table(sql: str) -> str:
    """The table that a CREATE TABLE makes, without quotes; "" for other statements."""
    found = _CREATE_TABLE.match(sql.strip())
    return plain(found["table"]) if found else ""


def dropped_table(sql: str) -> str:
    """The table that a DROP TABLE drops; "" for other statements."""
    found = _DROP_TABLE.fullmatch(sql.strip())
    return plain(found["table"]) if found else ""


def dropped_column(sql: str) -> Named | None:
    """Table and column of a DROP COLUMN."""
    found = _DROP_COLUMN.fullmatch(sql.strip())
    return Named(plain(found["table"]), plain(found["column"])) if found else None


def dropped_constraint(sql: str) -> Named | None:
    """Table and name of a DROP CONSTRAINT."""
    found = _DROP_CONSTRAINT.fullmatch(sql.strip())
    return Named(plain(found["table"]), name=plain(found["name"])) if found else None


def referred(sql: str) -> str:
    """The table that a foreign key refers to; "" for other statements."""
    added = added_constraint(sql)
    found = _FOREIGN.match(added.change) if added else None
    return plain(found["to"]) if found else ""


def renamed_index(sql: str) -> tuple[str, str] | None:
    """Old and new name of an index that is renamed."""
    found = re.fullmatch(rf"ALTER INDEX (?:IF EXISTS )?({_NAME}) RENAME TO ({_NAME})\s*;?", sql.strip(), re.IGNORECASE)
    return (found[1], found[2]) if found else None


def dropped_index(sql: str) -> str:
    """The name of an index that is dropped; "" for other statements."""
    found = _DROP_INDEX.fullmatch(sql.strip())
    return plain(found["name"]) if found else ""


def added_constraint(sql: str) -> Named | None:
    """Table, name and definition of an ADD CONSTRAINT."""
    found = _ADD.fullmatch(sql.strip())
    return Named(plain(found["table"]), name=plain(found["name"]), change=found["what"]) if found else None


def altered_column(sql: str) -> Named | None:
    """Table, column and what is changed of an ALTER COLUMN that changes one thing."""
    found = _COLUMN.fullmatch(sql.strip())
    return Named(plain(found["table"]), plain(found["column"]), change=found["change"]) if found else None


def made_name(sql: str) -> str:
    """The name of the index or the constraint that a statement makes; "" for other statements."""
    found = _INDEX.fullmatch(sql.strip()) or _ADD.fullmatch(sql.strip())
    return plain(found["name"]) if found else ""


def about(sql: str) -> str:
    """The table that a statement changes, without quotes; "" where that is not seen."""
    text = sql.strip()
    for pattern in (_INDEX, _ADD, _COLUMN, _ADD_COLUMN, _DROP_COLUMN, _DROP_CONSTRAINT, _DROP_TABLE, _FILL):
        if found := pattern.fullmatch(text):
            return plain(found["table"])
    found = re.match(_ALTER, text, re.IGNORECASE)
    return plain(found["table"]) if found else ""


def plain(name: str) -> str:
    """A name without quotes and schema; `"other"."item"` as a model's db_table says it: `other"."item`."""
    parts = re.split(r'\.(?=(?:[^"]*"[^"]*")*[^"]*$)', name)
    if len(parts) > 1 and all(part.startswith('"') for part in parts):
        return IN_SCHEMA.join(part[1:-1].replace('""', '"') for part in parts)
    last = parts[-1]
    return last[1:-1].replace('""', '"') if last.startswith('"') else last


def quoted(name: str) -> str:
    """A name in quotes."""
    return IN_SCHEMA.join(part.replace('"', '""') for part in name.split(IN_SCHEMA)).join('""')


IN_SCHEMA = '"."'
"""What a db_table has in it whose project reaches into another schema: Django puts quotes around it, and no more."""
