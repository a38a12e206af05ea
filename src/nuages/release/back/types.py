"""Whether code that expects one column type can work with another: pure, on the spellings of PostgreSQL.

Reading is what a driver returns; writing is assignment, as PostgreSQL casts
(https://www.postgresql.org/docs/current/sql-createcast.html: numbers and texts among themselves, dates and times).
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

WHOLE = {"smallint": 2, "integer": 4, "bigint": 8}
FLOATING = ("real", "double precision")
TEXT = ("varchar", "text", "char", "citext")
TIMES = ("date", "timestamp", "timestamp with time zone")
OTHERS = {"boolean", "uuid", "jsonb", "json", "bytea", "interval", "inet", "cidr", "macaddr", "time", "hstore"}
KNOWN = {*WHOLE, *FLOATING, *TEXT, *TIMES, *OTHERS, "numeric"}


class Fit(NamedTuple):
    """How well one type does for another: it works (but for `how`), it doesn't, or nobody can tell (None)."""

    works: bool | None
    how: str = ""


GOOD, BAD, OPEN = Fit(works=True), Fit(works=False), Fit(works=None)


def fit(wanted: str, there: str) -> Fit:
    """How well a column of type `there` does for code that expects `wanted`; "" is a type that nobody told."""
    if wanted == there or not (wanted and there):
        return GOOD
    if wanted.endswith("[]") and there.endswith("[]"):
        return fit(wanted[:-2], there[:-2])
    (base, sizes), (other, others) = _parts(wanted), _parts(there)
    if base in TEXT and other in TEXT:
        return _text(base, sizes, other, others)
    if base in WHOLE and other in WHOLE:
        return GOOD if WHOLE[other] >= WHOLE[base] else Fit(works=True, how="larger numbers are refused")
    if base in FLOATING and other in FLOATING:
        return GOOD if other == "double precision" else Fit(works=True, how="numbers lose digits")
    if base == other == "numeric":
        return _numeric(sizes, others)
    numbers = {*WHOLE, *FLOATING, "numeric"}
    if base in numbers and other in numbers:
        how = "what is behind the point is lost" if other in WHOLE else "its numbers are of another kind in Python"
        return Fit(works=True, how=how)
    if base in TIMES and other in TIMES:
        how = "the time of day is lost" if other == "date" else "its times are of another kind in Python"
        return Fit(works=True, how=how)
    if {base, other} == {"json", "jsonb"}:
        return GOOD
    return BAD if base in KNOWN or other in KNOWN else OPEN


def _parts(kind: str) -> tuple[str, tuple[int, ...]]:
    """`numeric(5,2)` -> numeric, (5, 2)."""
    sizes = re.search(r"\(([\d,]+)\)", kind)
    return re.sub(r"\([\d,]+\)", "", kind), tuple(map(int, sizes[1].split(","))) if sizes else ()


def _text(base: str, sizes: tuple[int, ...], other: str, others: tuple[int, ...]) -> Fit:
    limit, now = (found[0] if found else math.inf for found in (sizes, others))
    if now < limit:
        return Fit(works=True, how=f"texts longer than {now} are refused")
    if (base == "citext") != (other == "citext"):
        return Fit(works=True, how="upper and lower case count otherwise in comparisons")
    if other == "char" and base != "char":
        return Fit(works=True, how="texts are filled up with blanks")
    return GOOD


def _numeric(sizes: tuple[int, ...], others: tuple[int, ...]) -> Fit:
    (digits, places), (now, behind) = ((*found, 0)[:2] if found else (math.inf, math.inf) for found in (sizes, others))
    if others and (behind < places or now - behind < digits - places):
        return Fit(works=True, how="numbers are rounded" if behind < places else "larger numbers are refused")
    return GOOD
