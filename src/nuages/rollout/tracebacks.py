"""The one line of a Python traceback that matters, and where in the project it came from. Pure.

Several exceptions in a row ("During handling of ...", "... the direct cause of ...") end with the one that ended the
program; its own frames may all lie in libraries, so the earlier ones are searched for the project's file too.
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple

_START = "Traceback (most recent call last):"
_FRAME = re.compile(r'^\s*File "(?P<file>[^"]+)", line (?P<line>\d+)(?:, in (?P<function>.+))?$')
_ERROR = re.compile(r"^(?P<type>(?:[A-Za-z_]\w*\.)*(?:[A-Z]\w*|gaierror|timeout))(?:: (?P<message>.*))?$")
_CHAIN = re.compile(r"^(?:During handling of the above exception|The above exception was the direct cause)")
_LIBRARY = re.compile(r"site-packages|dist-packages|/lib(?:64)?/python\d|^<|nuages_runtime")


class Frame(NamedTuple):
    """One line of a traceback."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"

    @property
    def library(self) -> bool:
        """Whether it lies outside the project: Python's own, an installed package's, or what nuages puts in."""
        return bool(_LIBRARY.search(self.file))


class Trace(NamedTuple):
    """The last uncaught exception of a log: its line, and the deepest frame in the project's own files."""

    type: str
    message: str
    frames: tuple[Frame, ...]

    @property
    def line(self) -> str:
        """As Python writes it: `module.Error: message`."""
        return f"{self.type}: {self.message}" if self.message else self.type

    @property
    def name(self) -> str:
        """The exception's name without its module."""
        return self.type.rpartition(".")[2]

    def place(self, root: str = "/app") -> str:
        """The project's own file:line, relative to the project's root in the image; empty where there is none."""
        own = [frame for frame in self.frames if not frame.library]
        return str(own[-1]).removeprefix(root.rstrip("/") + "/") if own else ""


def last_trace(log: str) -> Trace | None:
    """Find the exception that ended the program; None where the log shows none."""
    lines = [line for raw in log.splitlines() for line in _unpacked(raw)]
    frames: list[Frame] = []
    error: re.Match[str] | None = None
    inside = chained = False
    for line in lines:
        if _START in line:
            frames = frames if chained else []
            inside, chained = True, False
        elif _CHAIN.match(line):
            chained = True
        elif (frame := _FRAME.match(line)) and (inside or frame["function"] is None):
            # A file that is no Python is named without a traceback where it is the program itself.
            frames = frames if inside else []
            inside = True
            frames.append(Frame(frame["file"], int(frame["line"])))
        elif inside and (ended := _ERROR.match(line)):
            error, inside = ended, False
    if error is None:
        return None
    return Trace(error["type"], (error["message"] or "").strip(), tuple(frames))


def readable(line: str) -> str:
    """A line as a person reads it: of a JSON logger's the level, the message and the exception without its frames."""
    if not line.lstrip().startswith("{"):
        return line
    try:
        fields = json.loads(line)
    except ValueError:
        return line
    if not isinstance(fields.get("message"), str):
        return line
    ended = [value.strip().splitlines()[-1] for value in fields.values() if isinstance(value, str) and _START in value]
    return ": ".join([" ".join(filter(None, [str(fields.get("level", "")), fields["message"]])), *ended])


def _unpacked(line: str) -> list[str]:
    """The lines of a traceback that a JSON logger put into one field; any other line as it is."""
    if not line.lstrip().startswith("{") or _START not in line:
        return [line]
    try:
        fields = json.loads(line)
    except ValueError:
        return [line]
    return [
        part for value in fields.values() if isinstance(value, str) and _START in value for part in value.splitlines()
    ]
