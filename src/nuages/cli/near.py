"""The near side of a program that runs elsewhere: what it shows, and the modes of this terminal. Quick to import."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator

from nuages.kube.channels import ERRORS

CHUNK = 32 * 1024
"""Bytes that are taken at once of what is typed, or piped in."""


def terminal() -> bool:
    """Whether both sides are one: output that goes to a file is no picture of a screen."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def show(channel: int, data: bytes) -> None:
    """Write all of it; a reader that is slow slows the program down."""
    fd = 2 if channel == ERRORS else 1
    while data:
        data = data[os.write(fd, data) :]


def size() -> tuple[int, int]:
    """Columns and rows of the terminal."""
    found = os.get_terminal_size(sys.stdout.fileno())
    return found.columns, found.lines


def first() -> list[tuple[int, int]]:
    """What a program hears at first: another size before the one there is. One that a person comes back to draws its
    prompt anew only where the size changes.
    """
    columns, rows = size()
    return [(max(columns - 1, 1), rows), (columns, rows)]


@contextlib.contextmanager
def raw() -> Iterator[None]:
    """For the body each key goes to the program, Ctrl-C too. Afterwards the terminal is as it was."""
    import termios
    import tty

    keys = sys.stdin.fileno()
    before = termios.tcgetattr(keys)
    try:
        tty.setraw(keys, termios.TCSANOW)  # what was typed already is kept
        yield
    finally:
        termios.tcsetattr(keys, termios.TCSADRAIN, before)
