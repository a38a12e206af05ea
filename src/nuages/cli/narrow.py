"""Tables in a terminal that is narrower than they are: what is said of a thing goes below its name.

A terminal breaks a long line anywhere, and nobody finds the columns again. In a pipe a line stays a line. Quick to
import.
"""

from __future__ import annotations

from nuages.cli.wording import columns

TYPE_CHECKING = False  # typing costs 4 ms
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

INDENT = 2


def room(out: TextIO) -> int | None:
    """Columns of a terminal; None of what has none."""
    return columns() if out.isatty() else None


def table(rows: Sequence[Sequence[str]], width: int | None) -> list[str]:
    """Cells below each other; where a line would be too wide, each name stands above its row."""
    whole = _aligned(rows)
    if width is None or all(len(line) <= width for line in whole):
        return whole
    below = _aligned([row[1:] for row in rows])
    indent = " " * (max(len(row[0]) - len(row[0].lstrip()) for row in rows) + INDENT)
    lines = []
    for row, rest in zip(rows, below, strict=True):
        lines += [row[0]] if row[0].strip() else []
        lines += folded(f"{indent}{rest}", width)
    return lines


def folded(line: str, width: int | None) -> list[str]:
    """A line as several, which begin where it does; a word that is too long for any stays whole, to be copied."""
    if width is None or len(line) <= width:
        return [line] if line.strip() else []
    import textwrap

    indent = " " * (len(line) - len(line.lstrip()))
    return textwrap.wrap(
        line.strip(), width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False,
        break_long_words=False,
    )  # fmt: skip


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    count = max(map(len, rows), default=0)
    widths = [max(len(row[column]) for row in rows if column < len(row)) for column in range(count)]
    return ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False)).rstrip() for row in rows]
