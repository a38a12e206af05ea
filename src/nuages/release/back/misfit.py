"""One thing in a database that is not as an earlier release's code has it."""

from __future__ import annotations

from collections.abc import Collection
from enum import IntEnum
from typing import NamedTuple

import msgspec

from nuages.app.schema import Table


class Weight(IntEnum):
    """What a misfit does to the earlier code; the heaviest is the least."""

    BREAKS = 0
    HIDES = 1
    """Nobody can tell."""
    DEGRADES = 2


class Misfit(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is not as the earlier release's code has it."""

    weight: Weight
    id: str
    message: str
    table: str = ""
    column: str | None = None
    migration: str = ""
    """Who did it; "" where no migration says so."""
    alias: str = ""
    hint: str = ""

    @property
    def place(self) -> str:
        """`posts_post.slug`, with its database where that is not the default one."""
        where = f"{self.table}.{self.column}" if self.column else self.table or self.migration
        return where if self.alias in ("", "default") else f"{self.alias}: {where}"


class Pair(NamedTuple):
    """One table as the earlier release's code has it, and as it is."""

    name: str
    release: int
    wanted: Table
    live: Table
    earlier: Table | None
    """As it was when that release recorded it."""
    tables: dict[str, Table]
    """All that the release's code knows."""
    there: Collection[str] = ()
    """All that are there now."""
