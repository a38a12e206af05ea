"""What code reads and writes, and what a database is: as nuages_runtime/migrations/schema.py tells it."""

from __future__ import annotations

import msgspec


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One column of a table."""

    type: str
    """As the database writes it: `varchar(100)`."""
    null: bool = False
    default: bool = False
    """Of a live column: the database fills it in where an INSERT leaves it out (a default, an identity). Of a wanted
    one: the code leaves it to the database."""
    constant: bool = False
    """Whether that default is the same for each row."""
    generated: bool = False
    """Whether the database computes it, and nobody may write it."""


class Constraint(msgspec.Struct, frozen=True, kw_only=True):
    """What a database holds its rows to."""

    kind: str
    """unique, check, exclude, foreign, primary or index."""
    columns: tuple[str, ...] = ()
    references: str | None = None
    """table.column of a foreign key."""
    text: str = ""
    """What tells more than its columns do: a check's expression, a partial index's condition."""
    on_delete: str = ""
    """What a foreign key does itself when the row goes that it refers to (cascade, null, default); "" refuses."""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """One table, as models see it or as it is."""

    columns: dict[str, Column]
    managed: bool = True
    """Of a wanted one: whether migrations make it; another system's may be missing."""
    constraints: dict[str, Constraint] = {}
    rows: int | None = None
    """About so many; None where nobody counted."""
    bytes: int | None = None


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a migration does to a database."""

    does: str
    """create, drop, rename, alter, constrain, or code: what can't be read off it."""
    table: str = ""
    column: str | None = None
    to: str = ""
    """The new name of what is renamed."""
    text: str = ""


class Migration(msgspec.Struct, frozen=True, kw_only=True):
    """One migration, as far as going back is concerned."""

    parents: tuple[str, ...] = ()
    """What it stands on."""
    reversible: bool = True
    """Whether each of its operations has a way back; not whether data comes back with it."""
    atomic: bool = True
    """Whether it happens whole or not at all."""
    effects: tuple[Effect, ...] = ()


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
    aside: tuple[tuple[str, str | None], ...] = ()
    """Tables and columns that were dropped and still lie aside with their data: undoing brings it back."""
    effects: dict[str, Migration] | None = None
    """What each migration did, in the order of the graph; None where nobody asked."""


class Schema(msgspec.Struct, frozen=True, kw_only=True):
    """All databases of an image; its JSON only grows under one `schema`."""

    schema: int = 1
    databases: dict[str, Database] = {}
