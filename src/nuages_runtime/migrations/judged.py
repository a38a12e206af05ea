"""What is said of an operation of a migration: which class it has, why, and how else it could be done.

| kind | what it means while a release runs |
|---|---|
| state | no statement reaches the database |
| expand | done before the first new pod; the running code does not notice |
| backfill | data is written; done after the rollout, when nobody writes the old way any more |
| contract | takes away or tightens what the running code may need: relaxed now, done when no old pod is left |
| unsafe | neither order works: another way, or a maintenance release |
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

STATE, EXPAND, BACKFILL, CONTRACT, UNSAFE = "state", "expand", "backfill", "contract", "unsafe"
KINDS = (STATE, EXPAND, BACKFILL, CONTRACT, UNSAFE)
"""From harmless to the worst: of several parts the last one in this order counts."""
DECLARABLE = (EXPAND, BACKFILL, CONTRACT, UNSAFE)

Wanted = Mapping[str, Mapping[str, Any]]
"""What code reads and writes: {table: {"columns": {column: {"type", "null", "default"}}}}, as schema.py tells it."""

SMALL = 8 * 1024 * 1024
"""Bytes of a table, its indexes included, that PostgreSQL rewrites within about 100 ms."""


@dataclass(frozen=True)
class Judged:
    """The class of one operation."""

    kind: str
    why: str = ""
    safer: str = ""
    """For contract and unsafe: what would work with less, in one or two lines."""
    declared: bool = False
    """Whether the spec or a marker says so, not the operation itself."""
    opaque: bool = False
    """RunPython, RunSQL or a stranger's operation that nobody declared: what it does to rows can't be read off it."""
    makes: frozenset[str] = frozenset()
    """Tables that are new by it."""
    holds: frozenset[tuple[str, str]] = frozenset()
    """What goes on being there while it is held back: (table, name of the column, constraint or index); the name is ""
    for the table itself.
    """
    frees: frozenset[tuple[str, tuple[str, ...]]] = frozenset()
    """What need not be unique any more: (table, columns)."""
    parts: tuple[Judged, ...] = ()
    """Where it does several things: each by itself. `kind` is the worst of them."""


@dataclass(frozen=True)
class Setting:
    """What the class of an operation depends on beside the operation itself."""

    running: Wanted | None
    """What the running release's code reads and writes; None where nothing runs."""
    vendor: str
    alias: str = "default"
    made: Collection[str] = ()
    """Tables made earlier in the same plan."""
    waiting: Collection[tuple[str, str]] = ()
    """What earlier operations left waiting, as Judged.holds."""
    freed: Collection[tuple[str, tuple[str, ...]]] = ()
    """What was unique until an earlier operation of the same plan, as Judged.frees."""
    sizes: Mapping[str, int] = field(default_factory=dict)
    """Bytes of the tables that are there; one that is missing counts as large."""

    def knows(self, table: str, column: str = "") -> bool:
        """Whether the running code reads or writes the table, or that column of it."""
        if self.running is None or table in self.made or table not in self.running:
            return False
        return not column or column in self.running[table]["columns"]

    def nullable(self, table: str, column: str) -> bool:
        """Whether the running code may write NULL there, or leave the column out and have NULL written."""
        if not self.knows(table, column):
            return True
        return bool(self.running[table]["columns"][column].get("null", True))  # type: ignore[index]

    def small(self, *tables: str) -> bool:
        """Whether all of these can be rewritten before anybody waits for long."""
        return all(table in self.made or self.sizes.get(table, SMALL) < SMALL for table in tables)

    def waits(self, table: str, name: str) -> bool:
        """Whether an earlier operation that is held back is about that name."""
        return (table, name) in self.waiting


def worst(parts: Iterable[Judged]) -> Judged:
    """Several things as one: the worst kind, the reasons of that kind, everything that is made or waits."""
    each = tuple(part for part in parts if part.kind != STATE)
    if not each:
        return Judged(STATE)
    if len(each) == 1:
        return each[0]
    kind = max((part.kind for part in each), key=KINDS.index)
    same = [part for part in each if part.kind == kind]
    return Judged(
        kind,
        why="; ".join(dict.fromkeys(part.why for part in same if part.why)),
        safer="; ".join(dict.fromkeys(part.safer for part in same if part.safer)),
        declared=all(part.declared for part in each),
        opaque=any(part.opaque for part in each),
        makes=frozenset().union(*(part.makes for part in each)),
        holds=frozenset().union(*(part.holds for part in same)) if kind == CONTRACT else frozenset(),
        frees=frozenset().union(*(part.frees for part in each)),
        parts=each,
    )


def plain(judged: Judged) -> Judged:
    """The same where nothing runs that could notice: whatever it does to the database is done at once."""
    if judged.kind == STATE:
        return judged
    return replace(judged, kind=EXPAND, why="nothing runs that could notice", safer="", holds=frozenset(), parts=())
