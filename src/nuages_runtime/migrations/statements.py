"""What can be read off SQL that a project wrote itself (RunSQL): whether it plainly takes something away, or blocks.

Not a parser. What it does not recognise is unknown, not harmless.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# Strings, quoted bodies of functions, and comments say nothing of what the statement does.
_NOISE = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\$(\w*)\$.*?\$\1\$", re.DOTALL)
_NAME = r"(?P<table>(?:\"[^\"]+\"|[\w.$]+)(?:\.(?:\"[^\"]+\"|\w+))?)"
_MORE = r"(?P<more>(?:\s*,\s*(?:only\s+)?[\w.\"$]+)*)"
_ALTER = rf"\balter\s+table\s+(?:if\s+exists\s+)?(?:only\s+)?{_NAME}[^;]*?"
_COLUMN = r"(?P<column>\"[^\"]+\"|\w+)"
_NOT_COLUMNS = r"(?!constraint\b|default\b|not\b|identity\b|expression\b)"

_TAKES = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), what)
    for pattern, what in (
        (rf"\bdrop\s+table\s+(?:if\s+exists\s+)?{_NAME}{_MORE}", "drops the table {table}"),
        (rf"{_ALTER}\bdrop\s+column\s+(?:if\s+exists\s+)?{_COLUMN}", "drops {table}.{column}"),
        (rf"{_ALTER}\bdrop\s+{_NOT_COLUMNS}(?!column\b)(?:if\s+exists\s+)?{_COLUMN}", "drops {table}.{column}"),
        (rf"{_ALTER}\brename\s+to\s+{_COLUMN}", "renames the table {table}"),
        (rf"{_ALTER}\brename\s+(?:column\s+)?(?!to\b|constraint\b){_COLUMN}\s+to\b", "renames {table}.{column}"),
        (
            rf"{_ALTER}\balter\s+(?:column\s+)?{_COLUMN}\s+(?:set\s+data\s+)?type\b",
            "changes the type of {table}.{column}",
        ),
        (rf"{_ALTER}\balter\s+(?:column\s+)?{_COLUMN}\s+set\s+not\s+null", "makes {table}.{column} NOT NULL"),
        # One that is made again by the same text was only changed.
        (rf"\bdrop\s+(?:materialized\s+)?view\s+(?:if\s+exists\s+)?{_NAME}(?!.*\bview\b)", "drops the view {table}"),
        (rf"\btruncate\s+(?:table\s+)?(?:only\s+)?{_NAME}{_MORE}", "empties {table}"),
        (rf"\bdelete\s+from\s+(?:only\s+)?{_NAME}(?![^;]*\bwhere\b)", "empties {table}"),
    )
)
_ANYWAY = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), what)
    for pattern, what in (
        (r"\bdrop\s+(?:schema|database|owned)\b", "drops a whole schema, a database or all of an owner"),
    )
)
_BLOCKS = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), what)
    for pattern, what in (
        (
            rf"\bcreate\s+(?:unique\s+)?index\s+(?!concurrently\b)[^;]*?\bon\s+(?:only\s+)?{_NAME}",
            "writers of {table} wait",
        ),
        (rf"\bvacuum\s*(?:\(\s*)?full\b\)?\s+{_NAME}", "everybody who asks for {table} waits"),
        (rf"\bcluster\s+{_NAME}", "everybody who asks for {table} waits"),
        (rf"\breindex\s+table\s+(?!concurrently\b){_NAME}", "writers of {table} wait"),
        (rf"\block\s+(?:table\s+)?{_NAME}", "others wait for {table}"),
    )
)


def text(sql: object) -> str:
    """RunSQL's `sql`, a text or a list of texts and of (text, parameters), without its strings and comments."""
    if isinstance(sql, (list, tuple)):
        pieces = [str(piece[0]) if isinstance(piece, (list, tuple)) else str(piece) for piece in sql]
        return ";\n".join(_bare(piece) for piece in pieces)
    return _bare(str(sql or ""))


def takes(bare: str) -> Iterator[tuple[str, str, str]]:
    """(table, column, in words) of what it plainly takes away; the table is "" where it is more than one table."""
    for pattern, what in _TAKES:
        for found in pattern.finditer(bare):
            groups = found.groupdict()
            column = "" if "the table" in what else _unquoted(groups.get("column") or "")
            more = [each.split()[-1] for each in (groups.get("more") or "").split(",") if each.strip()]
            for table in map(_unquoted, [groups["table"], *more]):
                yield table, column, what.format(table=table, column=column)
    for pattern, what in _ANYWAY:
        if pattern.search(bare):
            yield "", "", what


def blocks(bare: str) -> Iterator[tuple[str, str]]:
    """(table, in words) of what makes others wait for as long as the table is large."""
    for pattern, what in _BLOCKS:
        for found in pattern.finditer(bare):
            table = _unquoted(found["table"])
            yield table, what.format(table=table)


def _bare(sql: str) -> str:
    return _NOISE.sub(" ", sql).strip().strip(";").strip()


def _unquoted(name: str) -> str:
    """`public."blog_post"` as blog_post: W and the sizes know tables by what models call them."""
    last = name.rsplit(".", 1)[-1]
    return last.strip('"') if last.startswith('"') else last.lower()
