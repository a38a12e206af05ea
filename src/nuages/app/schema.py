"""What code reads and writes, and what a database is: as nuages_runtime/migrations/schema.py tells it."""

from __future__ import annotations

import msgspec


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One column of a table."""

    type: str
    """As the database writes it: `varchar(100)`."""
    null: bool = False
    default: bool = False
    """Whether the database fills it in where an INSERT leaves it out: a default, an identity, a generated value."""


class Constraint(msgspec.Struct, frozen=True, kw_only=True):
    """What a database holds its rows to."""

    kind: str
    """unique, check, foreign, primary or index."""
    columns: tuple[str, ...] = ()
    references: str | None = None
    """table.column of a foreign key."""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """One table, as models see it or as it is."""

    columns: dict[str, Column]
    constraints: dict[str, Constraint] = {}
    rows: int | None = None
    """About so many; None where nobody counted."""
    bytes: int | None = None


class Database(msgspec.Struct, frozen=True, kw_only=True):
    """What an image knows of one database, by its alias."""

    vendor: str
    wanted: dict[str, Table] = {}
    """The tables of its models: what its code reads and writes."""
    live: dict[str, Table] | None = None
    """The tables that are there; None where nobody looked."""
    known: dict[str, dict[str, list[str]]] = {}
    """Per app the migrations it has, each with the ones it replaces (`blog.0001_initial`)."""
    applied: tuple[str, ...] = ()
    """The migrations that are recorded in django_migrations."""
    opaque: tuple[str, ...] = ()
    """The migrations that do what can't be read off them: RunPython and RunSQL that nobody declared."""


class Schema(msgspec.Struct, frozen=True, kw_only=True):
    """All databases of an image; its JSON only grows under one `schema`."""

    schema: int = 1
    databases: dict[str, Database] = {}
