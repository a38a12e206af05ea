"""What a .env file says, as python-dotenv and `docker --env-file` users write it. Pure; no message quotes a value.

`NAME=value`, `export NAME=value`, comments, values in single quotes as they stand, in double quotes with escapes; a
quoted value may be several lines long. `${OTHER}` is not filled in: what it would give depends on who reads the file.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from nuages.errors import UsageError

_ASSIGNMENT = re.compile(r"(?:export[ \t]+)?(?P<name>[A-Za-z_][\w.-]*)[ \t]*=[ \t]*")
_QUOTED = re.compile(r"'(?P<single>[^']*)'|\"(?P<double>(?:[^\"\\]|\\.)*)\"", re.DOTALL)
_REST = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\n|\Z)")
_BARE = re.compile(r"(?P<bare>[^\n]*?)[ \t]*(?:(?<=[ \t])#[^\n]*)?(?:\n|\Z)")
_IGNORED = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\n|\Z)")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$", "'": "'"}
_REFERENCE = re.compile(r"\$\{[A-Za-z_]")


class Value(NamedTuple):
    """One assignment; `refers` where another variable should be filled in."""

    text: str
    line: int
    refers: bool = False


def read(text: str, file: str) -> dict[str, Value]:
    """All assignments; of one name the last holds.

    Raises:
        UsageError: a line that is none, with its number.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    found: dict[str, Value] = {}
    position = 0
    while position < len(text):
        line = text.count("\n", 0, position) + 1
        if (skipped := _IGNORED.match(text, position)) and skipped.end() > position:
            position = skipped.end()
            continue
        position += len(text[position:]) - len(text[position:].lstrip(" \t"))
        begun = _ASSIGNMENT.match(text, position)
        if begun is None:
            raise UsageError("not NAME=value", place=f"{file}:{line}", hint="a comment begins with #")
        value, position = _value(text, begun.end(), f"{file}:{line}")
        found[begun["name"]] = value._replace(line=line)
    return found


def _value(text: str, start: int, place: str) -> tuple[Value, int]:
    """The value that begins here, and where the next line does."""
    if text[start : start + 1] in {"'", '"'}:
        quoted = _QUOTED.match(text, start)
        rest = _REST.match(text, quoted.end()) if quoted else None
        if quoted is None or rest is None:
            raise UsageError("a quote that is not closed, or more behind it", place=place)
        if quoted["single"] is not None:
            return Value(quoted["single"], 0), rest.end()
        double = quoted["double"]
        plain = re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[0]), double, flags=re.DOTALL)
        return Value(plain, 0, bool(_REFERENCE.search(re.sub(r"\\.", "", double)))), rest.end()
    bare = _BARE.match(text, start)
    assert bare is not None  # noqa: S101 - it matches any line
    said = bare["bare"]
    comment = said.startswith("#")
    return Value("" if comment else said, 0, bool(_REFERENCE.search(said)) and not comment), bare.end()
