"""What a release tells programs: one JSON object a line. CI reads them; so does who follows a release from elsewhere.

The shape is a promise: it only grows under one `schema`, and the last line of a command is always `ended`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec

from nuages import progress
from nuages.errors import NuagesError, Refused
from nuages.findings import Finding
from nuages.progress import Finished, Said, Sink, Started, Told
from nuages.release import redact


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line. Fields that say nothing are left out."""

    schema: int
    time: datetime
    event: str
    """`begun`, `verdict`, `step`, `live`, `paused`, `finding` or `ended`."""
    release: int | None = None
    step: str = ""
    """The step's name: a phase, or what comes before them (`check`, `build`, `lock`)."""
    state: str = ""
    """Of a step: `started`, `said` or `ended`."""
    line: str = ""
    """News of the step under way."""
    expected: float | None = None
    """How many seconds the step usually takes."""
    ok: bool | None = None
    """How a step ended."""
    note: str = ""
    seconds: float | None = None
    """How long it took: a step, or the whole command."""
    app: str = ""
    environment: str = ""
    namespace: str = ""
    image: str = ""
    by: str = ""
    command: str = ""
    message: str = ""
    """Of `begun`: what whoever started it said; of `ended`: what went wrong."""
    resumed: bool = False
    """Whether it goes on with a release that was stopped."""
    restores: int | None = None
    """The release that it brings back."""
    phase: str = ""
    reason: str = ""
    """What a paused release waits for."""
    hint: str = ""
    detail: str = ""
    place: str = ""
    outcome: str = ""
    """Of `ended`: `live`, `paused`, `detached`, `failed`, `refused`, `rolled back`, `interrupted`."""
    exit: int | None = None
    """The command's exit code."""
    finding: dict[str, Any] | None = None
    verdict: dict[str, Any] | None = None
    """On going back: `outcome`, `release`, `reasons`, `undo`."""


class Teller:
    """A sink that writes events, and knows how the last one ends."""

    def __init__(self, write: Callable[[str], None]) -> None:
        """`write` takes a line without its end."""
        self._write = write
        self._begun = time.monotonic()
        self._steps: list[tuple[str, float]] = []
        self._line = ""
        self.release: int | None = None
        self.outcome = ""

    def sink(self, event: progress.Event) -> None:
        """Tell what is under way."""
        match event:
            case Started(title, expected):
                self._steps.append((title, time.monotonic()))
                self._tell("step", step=title, state="started", expected=expected)
            case Said(line) if line != self._line:
                self._line = line
                self._tell("step", step=self._steps[-1][0] if self._steps else "", state="said", line=redact.text(line))
            case Finished(title, ok, note):
                began = self._steps.pop()[1] if self._steps else time.monotonic()
                took = round(time.monotonic() - began, 3)
                self._tell("step", step=title, state="ended", ok=ok, note=redact.text(note), seconds=took)
            case Told(name, fields):
                self.release = fields.get("release", self.release)  # type: ignore[assignment]
                self.outcome = name if name in {"live", "paused", "detached"} else self.outcome
                self._tell(name, **fields)

    def findings(self, findings: tuple[Finding, ...] | list[Finding]) -> None:
        """Tell findings, each in a line."""
        for finding in findings:
            self._tell("finding", finding=finding._asdict() | {"place": finding.place._asdict()})

    def ended(self, error: BaseException | None) -> None:
        """Tell how the command ends."""
        took = round(time.monotonic() - self._begun, 3)
        if error is None:
            self._tell("ended", release=self.release, outcome=self.outcome or "done", exit=0, seconds=took)
            return
        if not isinstance(error, NuagesError):
            self._tell("ended", release=self.release, outcome="interrupted", exit=130, seconds=took)
            return
        if isinstance(error, Refused):
            self.findings(error.findings)
        outcome = {3: "refused", 4: "rolled back", 130: "interrupted"}.get(error.exit_code, "failed")
        said = {"message": error.message, "detail": error.detail, "hint": error.hint, "place": error.place}
        parts = {name: redact.text(text) for name, text in said.items()}
        self._tell("ended", release=self.release, outcome=outcome, exit=error.exit_code, seconds=took, **parts)

    def _tell(self, name: str, **fields: Any) -> None:
        event = Event(schema=1, time=datetime.now(UTC), event=name, **fields)
        self._write(msgspec.json.encode(event).decode())


@contextmanager
def told(teller: Teller | None) -> Iterator[None]:
    """Tell how the body ends, whatever happens; nothing where nobody listens."""
    try:
        yield
    except BaseException as error:
        if teller and isinstance(error, (NuagesError, KeyboardInterrupt)):
            teller.ended(error)
        raise
    if teller:
        teller.ended(None)


def both(first: Sink, second: Sink) -> Sink:
    """A sink that tells two."""

    def sink(event: progress.Event) -> None:
        first(event)
        second(event)

    return sink
