"""What `python -m nuages_runtime.migrations plan` prints: all that is to be known before a migration, as data.

Unknown fields are left out of account: a newer runtime may say more.
"""

from __future__ import annotations

import msgspec

from nuages.app.schema import Database as Known
from nuages.app.schema import Table


class Lock(msgspec.Struct, frozen=True, kw_only=True):
    """A lock that a statement took in the rehearsal."""

    table: str
    mode: str
    """As pg_locks has it: `AccessExclusiveLock`."""


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """One statement, as it would be run."""

    sql: str
    locks: tuple[Lock, ...] = ()
    rewrites: bool = False
    """Whether the table is written anew."""
    concurrent: bool = False
    """Whether it is of the kind that blocks nobody."""
    later: bool = False
    """Whether it is held back until no code needs what it takes away; what it would lock was not tried."""


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One operation of a migration."""

    text: str
    """`Remove field subtitle from post`."""
    kind: str
    """expand, contract, backfill, state or unsafe."""
    why: str = ""
    safer: str = ""
    declared: bool = False
    opaque: bool = False
    """Whether what it does to rows can't be read off it: code, or SQL, that nobody declared."""
    statements: tuple[Statement, ...] = ()


class Migration(msgspec.Struct, frozen=True, kw_only=True):
    """One pending migration; they come in the order in which they would run."""

    app: str
    name: str
    operations: tuple[Operation, ...] = ()


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that an earlier release held back."""

    app: str
    migration: str
    kind: str
    sql: str = ""
    release: int | None = None


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """How large a table is, about."""

    rows: int | None = None
    bytes: int | None = None


class Gate(msgspec.Struct, frozen=True, kw_only=True):
    """What the project's own state says against a release, or for the reader's attention."""

    id: str
    level: str
    """error, warning or info."""
    message: str
    place: str = ""
    hint: str = ""


class Database(msgspec.Struct, frozen=True, kw_only=True):
    """One database, by its alias."""

    vendor: str = ""
    version: str = ""
    pending: tuple[Migration, ...] = ()
    journal: tuple[Entry, ...] = ()
    tables: dict[str, Size] = {}
    schema: Known | None = None
    """What the code knows of it, and what it is like now."""
    after: dict[str, Table] | None = None
    """What it is like when all that is pending was rehearsed; None where that could not be."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """All databases that are migrated, and the gates; its JSON only grows under one `schema`."""

    schema: int
    databases: dict[str, Database] = {}
    gates: tuple[Gate, ...] = ()
