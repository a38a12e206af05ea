"""How a line of a log looks: what the runtime writes as JSON is made readable, all else stays as it is. Pure, and
quick: a busy site prints thousands of lines a second.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, NoReturn, TextIO
from zlib import crc32

from nuages.release.printed import Line, Source

TAIL = 100
COLOURS = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)
LEVELS = {"WARNING": 33, "ERROR": 31, "CRITICAL": 31}
# What the readable form shows in its own place, or not at all: the time is the line's.
_PLACED = {
    "time", "level", "logger", "message", "exception", "stack", "request_id", "task_id", "task",
    "method", "path", "status", "client", "user_agent",
}  # fmt: skip


def _no_number(said: str) -> NoReturn:
    """NaN and Infinity are not JSON."""
    raise ValueError(said)


Decode = Callable[[str], dict[str, Any]]
_slow: Decode = json.JSONDecoder(parse_constant=_no_number).decode
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def most(tail: str | None, since: str | None) -> int | None:
    """How many lines at most; None for all.

    Raises:
        ValueError: it is no number.
    """
    if tail is None:
        return None if since else TAIL
    if tail != "all" and not tail.isdigit():
        raise ValueError("write a number, or all")
    return None if tail == "all" else int(tail)


def nothing(since: str | None, *, sought: bool) -> str:
    """What is said where no line came."""
    when, what = f" in the last {since}" if since else "", " of what you ask for" if sought else ""
    return f"nothing{what} was printed{when}"


def _quick() -> Decode:
    """What needs a sixth of the time for a line, and 35 ms to be imported."""
    import msgspec

    return msgspec.json.Decoder(dict[str, Any]).decode


class Filter:
    """Which lines are wanted."""

    def __init__(self, pattern: re.Pattern[str] | None, request: str | None) -> None:
        """Those in which the pattern is found, and which belong to the request, where these are given."""
        self._pattern = pattern
        # As a whole word: an id may begin as another one does.
        self._request = re.compile(rf"(?<![\w-]){re.escape(request)}(?![\w-])") if request else None

    def passes(self, text: str) -> bool:
        """Whether a line, as it was printed, is wanted."""
        return (self._request is None or self._request.search(text) is not None) and (
            self._pattern is None or self._pattern.search(text) is not None
        )


class Shown:
    """Writes lines in one form: text for people, raw as they were printed, json for programs."""

    def __init__(self, out: TextIO, form: str, *, few: bool = False) -> None:
        """To `out`, in colour where it is a terminal that wants it; of `few` lines nothing is imported that is slow."""
        self._decode = _slow if few else _quick()
        self._out = out
        self._form = {"text": self._text, "raw": _raw, "json": self._json}[form]
        self._colour = out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"

    def write(self, lines: Iterable[Line]) -> None:
        """Write them, and flush once."""
        self._out.write(self.text(lines))
        self._out.flush()

    def text(self, lines: Iterable[Line]) -> str:
        """Them, as they are written."""
        return "".join([f"{self._form(line)}\n" for line in lines])

    def _text(self, line: Line) -> str:
        pod = self._painted(line.source.short, COLOURS[crc32(line.source.pod.encode()) % len(COLOURS)])
        entry = parsed(line.text, self._decode)
        if entry is None:
            return f"{line.time[11:19]} {pod}  {line.text}"
        level = str(entry.get("level", ""))
        shown = self._painted(f"{level:<8}", LEVELS[level]) if level in LEVELS else ""
        first, *rest = readable(entry).split("\n")
        return "\n".join([f"{line.time[11:19]} {pod}  {shown}{first}", *(f"    {one}" for one in rest)])

    def _json(self, line: Line) -> str:
        """In the shape that docs/reference/records.md promises."""
        told = entry_of(line, self._decode)._asdict()
        if told["fields"] is None:
            del told["fields"]
        try:
            return _encode(told)
        except ValueError:  # a number that is none, such as 1e999
            return _encode({name: value for name, value in told.items() if name != "fields"})

    def _painted(self, text: str, colour: int) -> str:
        return f"\033[{colour}m{text}\033[0m" if self._colour else text


def parsed(text: str, decode: Decode = _slow) -> dict[str, Any] | None:
    """The object of a line of JSON that has a message; None for any other line."""
    if not text.startswith("{"):
        return None
    try:
        entry = decode(text)
        if "\\u" in text:
            _encode(entry).encode()  # half of a pair of surrogates can't be written
        return entry if isinstance(entry.get("message"), str) else None
    except (ValueError, RecursionError):
        return None


def readable(entry: dict[str, Any]) -> str:
    """`GET /posts/ 200  12 ms  [6f1c...]`: message, what is beside it, whose it is; a traceback below."""
    parts = [entry["message"]]
    if entry.get("logger") == "nuages.access":
        parts.append(f"{entry.get('duration_ms', 0):.0f} ms")
        extra = {}
    else:
        extra = {name: value for name, value in entry.items() if name not in _PLACED}
    parts += [f"{name}={_short(value)}" for name, value in extra.items()]
    if belongs := entry.get("task_id") or entry.get("request_id"):
        parts.append(f"[{belongs}]")
    return "\n".join(["  ".join(parts), *(entry[name] for name in ("exception", "stack") if name in entry)])


def _short(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _raw(line: Line) -> str:
    return line.text


class Entry(NamedTuple):
    """One line for programs; `fields` is what a line of JSON had in it."""

    time: str
    pod: str
    container: str
    component: str
    release: str
    text: str
    fields: dict[str, Any] | None = None


def entry_of(line: Line, decode: Decode) -> Entry:
    """A line and where it comes from."""
    source: Source = line.source
    return Entry(
        time=line.time,
        pod=source.pod,
        container=source.container,
        component="-".join(filter(None, (source.component, source.key))),
        release=source.release,
        text=line.text,
        fields=parsed(line.text, decode),
    )
