"""How long work tells what it is doing: events go to a sink, and only the command line decides how they look.

A step has a title and, where it is known, how long it usually takes (seconds); the one who shows it keeps the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple


class Started(NamedTuple):
    """A step began; `expected` is how many seconds it usually takes, where that is known."""

    title: str
    expected: float | None = None


class Said(NamedTuple):
    """The step under way has news, one line long; it replaces the line before it."""

    line: str


class Finished(NamedTuple):
    """The step ended; `note` says how in a few words ("3 available", "cached")."""

    title: str
    ok: bool = True
    note: str = ""


class Told(NamedTuple):
    """Something a program wants to know, and a person sees in other ways: a release began, is live, is paused."""

    event: str
    fields: dict[str, object]


Event = Started | Said | Finished | Told
Sink = Callable[[Event], None]


def silent(event: Event) -> None:
    """Show nothing."""


class Step:
    """The handle a step's body holds: `say` tells news, `note` is what its last line will say."""

    def __init__(self, sink: Sink) -> None:
        """Begin without a note."""
        self._sink = sink
        self.note = ""

    def say(self, line: str) -> None:
        """Tell news in one line."""
        self._sink(Said(line))


@contextmanager
def step(sink: Sink, title: str, *, expected: float | None = None) -> Iterator[Step]:
    """Announce a step, run the body, and say how it ended; an exception ends it as failed and goes on up."""
    sink(Started(title, expected))
    handle = Step(sink)
    try:
        yield handle
    except BaseException:
        sink(Finished(title, ok=False, note=handle.note))
        raise
    sink(Finished(title, note=handle.note))
