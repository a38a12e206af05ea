"""The one line of a Python traceback that matters, and where in the project it came from. Pure.

Several exceptions in a row ("During handling of ...", "... the direct cause of ...") end with the one that ended the
program; its own frames may all lie in libraries, so the earlier ones are searched for the project's file too. Of a
group (PEP 654) the last of its own exceptions is told. Python's own form is read, that of rich, and
those of JSON loggers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

_START = "Traceback (most recent call last)"
_FRAME = re.compile(r'^\s*File "(?P<file>[^"]+)", line (?P<line>\d{1,9})(?:, in (?P<function>.+))?$')
_BOXED = re.compile(r"^\u2502 (?P<file>/[^:]+):(?P<line>\d{1,9}) in (?P<function>\S+)")
_ERROR = re.compile(
    r"^(?P<type>(?!(?:DEBUG|INFO|WARNING|ERROR|CRITICAL)\b)"
    r"(?:(?:[A-Za-z_]\w*|<locals>)\.)*(?:[A-Z]\w*|gaierror|timeout|error))(?:: (?P<message>.*))?$"
)
_CHAIN = re.compile(r"^(?:During handling of the above exception|The above exception was the direct cause)")
_ASIDE = re.compile(r"^(?:Exception ignored|--- Logging error ---|Error in atexit)")
"""What Python tells without ending for it: https://docs.python.org/3/library/sys.html#sys.unraisablehook"""

_LIBRARY = re.compile(r"site-packages|dist-packages|/lib(?:64)?/python\d|^<|nuages_runtime|/bin/[^/]+$|\.p[yx][xi]$")
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_LOGGED = re.compile(r"^\[?\d{4}-\d\d-\d\d|^(?:DEBUG|INFO|WARNING|ERROR|CRITICAL)\b|^\[[A-Z]+\]|^$")
_MORE = 20  # lines behind the exception's own that may belong to its message
_TO_A_HOST = re.compile(r"(?<!\S)\S+@")
_PASSWORD = re.compile(r"(?<=://)([^:/@\s]*):\S+(?=@)")
_LONGEST, _HEAD = 2000, 1500
"""Characters of a line that are read: some patterns take time by the square of them, and a person reads no more."""


class Frame(NamedTuple):
    """One line of a traceback, with what stands there where the file is in the image."""

    file: str
    line: int
    text: str = ""

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
    more: tuple[str, ...] = ()
    """The lines behind the first of a message that has several."""

    @property
    def line(self) -> str:
        """As Python writes it: `module.Error: message`."""
        return f"{self.type}: {self.message}" if self.message else self.type

    @property
    def said(self) -> str:
        """All of the message."""
        return "\n".join((self.line, *self.more))

    @property
    def name(self) -> str:
        """The exception's name without its module."""
        return self.type.rpartition(".")[2]

    @property
    def own(self) -> Frame | None:
        """The deepest frame in the project's own files; that manage.py runs a command says nothing."""
        behind = (*(frame.file for frame in self.frames[1:]), "")
        own = [
            frame
            for frame, after in zip(self.frames, behind, strict=False)
            if not frame.library and not (frame.file.endswith("manage.py") and "django/core/management" in after)
        ]
        return own[-1] if own else None

    def place(self, root: str = "/app") -> str:
        """The project's own file:line, relative to the project's root in the image; empty where there is none."""
        return str(self.own or "").removeprefix(root.rstrip("/") + "/")


def last_trace(log: str) -> Trace | None:
    """Find the exception that ended the program; None where the log shows none."""
    found: Trace | None = None
    frames: list[Frame] = []
    inside = chained = aside = beside = open_ = False
    for line in _lines(log):
        if _ASIDE.match(line):
            beside = True
        elif _START in line:
            frames = frames if chained else []
            inside, chained, aside, beside, open_ = True, False, beside, False, False
        elif _CHAIN.match(line):
            chained = True
        elif (frame := _FRAME.match(line) or _BOXED.match(line)) and (inside or frame["function"] is None):
            # A file that is no Python is named without a traceback where it is the program itself.
            frames = frames if inside else []
            inside = True
            frames.append(Frame(frame["file"], int(frame["line"])))
        elif inside and (ended := _ERROR.match(line)):
            inside = False
            if not aside:
                found, open_ = Trace(ended["type"], (ended["message"] or "").strip(), tuple(frames)), True
        elif inside and frames and (text := line.strip(" \u2502\u2771~^")):
            frames[-1] = frames[-1]._replace(text=f"{frames[-1].text} {text}".strip())
        elif open_ and found and (open_ := len(found.more) < _MORE and not _LOGGED.match(line)):
            found = found._replace(more=(*found.more, line))
    return found


def lines(log: str) -> list[str]:
    """The lines of a log, without the middle of one that is longer than anybody reads: a whole file in base64."""
    return [shortened(line) for line in log.splitlines()]


def shortened(line: str) -> str:
    """A line as long as one reads; no cut goes through a password."""
    if len(line) <= _LONGEST:
        return line
    line = public(line)
    return f"{line[:_HEAD]} ... {line[_HEAD - _LONGEST :]}"


def public(line: str) -> str:
    """A line without the passwords of URLs in it: one may have an @ of its own, so each goes up to the word's last."""
    return _TO_A_HOST.sub(lambda word: _PASSWORD.sub(r"\1:***", word[0]), line)


def plain(log: str) -> str:
    """A log without colours."""
    return _COLOURS.sub("", log)


def readable(line: str) -> str:
    """A line as a person reads it: of a JSON logger's the level, the message and the exception without its frames."""
    fields = _fields(line)
    message = fields.get("message", fields.get("event"))
    if not isinstance(message, str):
        return line
    ended = [trace.strip().splitlines()[-1] for trace in _traces(fields) if trace is not message]
    if _START in message:
        message = message.strip().splitlines()[-1]
    return ": ".join([" ".join(filter(None, [str(fields.get("level", "")), message])), *ended])


def _lines(log: str) -> Iterator[str]:
    """The lines of a log, as they would stand without a JSON logger, or the margin of a group of exceptions."""
    grouped = False
    for raw in log.splitlines():
        for line in [part for trace in _traces(_fields(raw)) for part in trace.splitlines()] or [raw]:
            grouped = "+ Exception Group Traceback" in line or (grouped and line.startswith(" "))
            read = shortened(line)
            yield re.sub(r"^ *\| ?", "", read) if grouped else read


def _fields(line: str) -> dict[str, Any]:
    if not line.lstrip().startswith("{"):
        return {}
    try:
        return dict(json.loads(line))
    except (ValueError, RecursionError):  # no JSON, or deeper than anybody logs
        return {}


def _traces(value: object) -> list[str]:
    """The tracebacks in a JSON logger's fields, whatever they are called and however deep they lie."""
    if isinstance(value, str):
        return [value] if _START in value else []
    if isinstance(value, dict):
        if isinstance(value.get("exc_type"), str) and isinstance(value.get("frames"), list):
            return [_told(value)]
        return [trace for part in value.values() for trace in _traces(part)]
    # structlog's dict_tracebacks: the exception that ended it stands first, then what it came from.
    return [trace for part in reversed(value) for trace in _traces(part)] if isinstance(value, list) else []


def _told(fields: dict[str, Any]) -> str:
    """As Python would have written it: https://www.structlog.org/en/stable/api.html#structlog.tracebacks.Stack"""
    frames = [
        f'  File "{one.get("filename")}", line {one.get("lineno", 0)}, in {one.get("name")}\n    {one.get("line", "")}'
        for one in fields["frames"]
        if isinstance(one, dict)
    ]
    return "\n".join((f"{_START}:", *frames, f"{fields['exc_type']}: {fields.get('exc_value', '')}"))
