"""The page of --help, folded: examples that stand as they were written, too, where the terminal is narrower."""

from __future__ import annotations

import re
import textwrap

import click

_GAP = re.compile(r"(\s*\S.*?)\s{2,}(\S.*)")
"""`nuages deploy --canary    first to a few`: what is typed, and what it does."""


class Folding(click.HelpFormatter):
    """click's formatter, which folds prose, and not what a help text marks as to be left alone."""

    def getvalue(self) -> str:
        """The page, no line longer than the terminal is wide where a line can be parted at all."""
        return "\n".join(folded for line in super().getvalue().split("\n") for folded in fold(line, self.width))


def fold(line: str, width: int) -> list[str]:
    """A line as several where it is too long; what it does goes below what is typed."""
    if len(line) <= width:
        return [line]
    parts = _GAP.fullmatch(line)
    typed, about = parts.groups() if parts else (line, "")
    indent = typed[: len(typed) - len(typed.lstrip())]
    rows = _wrapped(typed, width, indent, f"{indent}    ")
    return [*rows, *_wrapped(about, width, f"{indent}      ", f"{indent}      ")] if about else rows


def _wrapped(text: str, width: int, first: str, further: str) -> list[str]:
    return textwrap.wrap(
        text.strip(), width, initial_indent=first, subsequent_indent=further, break_on_hyphens=False,
        break_long_words=False,
    )  # fmt: skip
