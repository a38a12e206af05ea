"""What a change of a column's type does, read off the two types as the database writes them.

Sources: PostgreSQL's ATColumnChangeRequiresRewrite (tablecmds.c), and the "support functions" of varchar and numeric,
which say when a longer limit needs no look at the rows.
"""

from __future__ import annotations

import re

SAME = "same"
WIDER = "wider"
"""Each old value fits; PostgreSQL changes its catalogue alone."""
REWRITES = "rewrites"
"""Each old value fits and reads alike; the table is rewritten."""
SHRINKS = "shrinks"
"""Old values may not fit."""
OTHER = "other"
"""Another kind of value: code that knows the one reads the other wrongly, or not at all."""

_FORM = re.compile(r"^(?P<name>[a-z ]+?)\s*(\((?P<limits>[\d\s,]+)\))?(?P<array>(\[\d*\])*)$")
_INTEGERS = {"smallint": 1, "integer": 2, "int": 2, "serial": 2, "smallserial": 1, "bigint": 3, "bigserial": 3}
_FLOATS = {"real": 1, "double precision": 2}
_TEXTS = frozenset({"varchar", "character varying", "text"})
_ALIASES = {"decimal": "numeric", "character varying": "varchar", "longtext": "text"}


def change(old: str, new: str) -> str:
    """One of the words above."""
    if old.lower() == new.lower():
        return SAME
    one, other = _FORM.match(old.lower().strip()), _FORM.match(new.lower().strip())
    if not one or not other:
        return OTHER
    if bool(one["array"]) != bool(other["array"]):
        return OTHER
    name, to = (_ALIASES.get(form["name"], form["name"]) for form in (one, other))
    limits, wanted = _limits(one["limits"]), _limits(other["limits"])
    if one["array"]:
        # The size of an array is not held to by PostgreSQL; its elements are converted one by one.
        if (name, limits) == (to, wanted):
            return WIDER
        return {WIDER: REWRITES}.get(found := _scalar(name, limits, to, wanted), found)
    return _scalar(name, limits, to, wanted)


def _scalar(name: str, limits: list[int], to: str, wanted: list[int]) -> str:
    if name in _TEXTS and to in _TEXTS:
        if not wanted:
            return WIDER
        return WIDER if limits and limits[0] <= wanted[0] else SHRINKS
    for order in (_INTEGERS, _FLOATS):
        if name in order and to in order:
            if order[name] == order[to]:
                return SAME
            return REWRITES if order[name] < order[to] else SHRINKS
    if {name, to} <= _TEXTS | {"citext"}:
        return REWRITES
    if name == to == "numeric":
        return _numeric(limits, wanted)
    if name == to:
        return _numeric(limits, wanted) if len(limits) == len(wanted) == 1 else OTHER
    return OTHER


def _numeric(limits: list[int], wanted: list[int]) -> str:
    """numeric(10, 2): ten digits, two of them behind the point."""
    if not wanted:
        return WIDER
    if not limits:
        return SHRINKS
    digits, behind = limits[0], limits[1] if len(limits) > 1 else 0
    new_digits, new_behind = wanted[0], wanted[1] if len(wanted) > 1 else 0
    if new_behind < behind or new_digits - new_behind < digits - behind:
        return SHRINKS
    return WIDER if new_behind == behind else REWRITES


def _limits(text: str | None) -> list[int]:
    return [int(part) for part in text.split(",")] if text else []
