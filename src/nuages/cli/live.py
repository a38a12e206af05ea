"""A view that goes on: in a terminal one screen that is drawn anew, in a pipe a line for each thing that changed.

The terminal's other screen is used (https://invisible-island.net/xterm/ctlseqs/ctlseqs.html, mode 1049): nothing of it
stays in the scrollback, a new size just means drawing again, and at the end the last view is left as plain lines.
"""

from __future__ import annotations

import os
import re
import signal
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Self, TextIO

_STYLE = re.compile(r"\x1b\[[0-9;]*m")
_BEGIN, _END = "\033[?1049h\033[?25l", "\033[?25h\033[?1049l"
_HOME, _REST, _LINE = "\033[H", "\033[J", "\033[K"


class Live:
    """One screen of a terminal."""

    whole = True
    """Whether what changes all the time is worth showing."""

    def __init__(self, out: TextIO) -> None:
        """Draw on a terminal."""
        self._out = out
        self._view: Callable[[], list[str]] = list
        self._lock = threading.RLock()

    def __enter__(self) -> Self:
        """Take the screen, and hear of new sizes."""
        self._out.write(_BEGIN)
        self._out.flush()
        self._before = signal.signal(signal.SIGWINCH, lambda *_: self._draw())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the screen back, with the last view below what stood there."""
        signal.signal(signal.SIGWINCH, self._before)
        self._out.write(_END + "".join(f"{line}\n" for line in self._view()))
        self._out.flush()

    def show(self, view: Callable[[], list[str]]) -> None:
        """Show this from now on; it is asked for its lines whenever it is drawn."""
        self._view = view
        self._draw()

    def _draw(self) -> None:
        size = os.get_terminal_size(self._out.fileno())
        with self._lock:
            # The last column stays free: a terminal that is about to wrap takes the end of the line off again.
            lines = fitted(self._view(), size.columns - 1, size.lines)
            self._out.write(_HOME + "".join(f"{line}{_LINE}\r\n" for line in lines[:-1]))
            self._out.write("".join(f"{line}{_LINE}" for line in lines[-1:]) + _REST)
            self._out.flush()


class Log:
    """What changed, line by line, each with the time."""

    whole = False

    def __init__(self, out: TextIO) -> None:
        """Write to a pipe or a file."""
        self._out = out
        self._told: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is held."""

    def show(self, view: Callable[[], list[str]]) -> None:
        """Write the lines that were not there before."""
        lines = view()
        new = [line for line in lines if line not in self._told]
        self._told = lines
        self._out.write("".join(f"{datetime.now(UTC):%H:%M:%S}  {line}\n" for line in new))
        self._out.flush()


def fitted(lines: list[str], columns: int, rows: int) -> list[str]:
    """As much as a screen holds; the last line says how much it does not."""
    more = len(lines) - rows
    shown = lines if more <= 0 else [*lines[: rows - 1], f"… {more + 1} more lines"]
    return [cut(line, columns) for line in shown]


def cut(line: str, columns: int) -> str:
    """A line with its styles, at most so wide."""
    parts, left = [], columns
    for piece in re.split(f"({_STYLE.pattern})", line):
        if _STYLE.fullmatch(piece):
            parts.append(piece)
        else:
            parts.append(piece[:left])
            left -= len(piece[:left])
    return "".join(parts)
