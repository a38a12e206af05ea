"""How things look: steps, findings, errors. In a terminal the step under way is one live line; in a pipe, plain lines.

No meaning by colour alone; NO_COLOR is honoured (https://no-color.org).
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterable
from typing import TextIO

from nuages.cli.wording import columns, document
from nuages.cli.wording import duration as duration  # noqa: PLC0414 - most ask for it here
from nuages.cli.wording import harmless as harmless  # noqa: PLC0414
from nuages.errors import NuagesError, Refused
from nuages.findings import Finding
from nuages.progress import Event, Finished, Said, Started

REMIND = 10.0  # seconds of silence after which a pipe hears that a step is still under way
WIDE = 80  # columns from which the times of all steps stand below each other
STYLES = {"red": "31", "green": "32", "yellow": "33", "dim": "2", "bold": "1"}


class Console:
    """Results go to standard output, progress and errors to standard error."""

    def __init__(self, out: TextIO, err: TextIO) -> None:
        """Look once at what the streams are: a terminal gets a live line and colour."""
        self._out = out
        self._err = err
        self._live = err.isatty() and os.environ.get("TERM") != "dumb"
        self._colour = self._live and not os.environ.get("NO_COLOR")
        self._steps: list[_Running] = []
        self._lock = threading.RLock()
        self._ticker: threading.Thread | None = None

    # results

    def print(self, text: str = "") -> None:
        """Print a line of the result."""
        with self._lock:
            self._clear()
            self._out.write(text + "\n")
            self._out.flush()

    def json(self, value: object) -> None:
        """Print a result for programs: one document."""
        self.print(document(value))

    def style(self, text: str, style: str) -> str:
        """The text in a style of STYLES, where the terminal shows it."""
        return f"\033[{STYLES[style]}m{text}\033[0m" if self._colour else text

    def findings(self, findings: Iterable[Finding]) -> None:
        """Print findings as `place  message  id`, and the hint below."""
        from nuages.cli.hinted import hinted

        for finding in findings:
            place = f"{finding.place}  " if str(finding.place) else ""
            level = "" if finding.level == "error" else f"{finding.level}: "
            self._line(f"{place}{level}{harmless(finding.message)}  {self.style(finding.id, 'dim')}")
            if finding.hint:
                self._line(f"    {hinted(harmless(finding.hint))}")

    def error(self, error: BaseException) -> int:
        """Print what went wrong and return the exit code."""
        if not isinstance(error, NuagesError):
            self._line(f"{self.style('✗', 'red')} interrupted; run the same command again to go on")
            return 130
        if isinstance(error, Refused):
            self.findings(error.findings)
        place = f"{error.place}: " if error.place else ""
        self._line(f"{self.style('✗', 'red')} {place}{harmless(error.message)}")
        for line in error.detail.splitlines():
            self._line(f"    {harmless(line)}")
        if error.hint:
            from nuages.cli.hinted import hinted

            self._line(f"  {self.style('hint', 'bold')}  {hinted(harmless(error.hint))}")
        return error.exit_code

    # progress

    def sink(self, event: Event) -> None:
        """Show one event of progress."""
        with self._lock:
            match event:
                case Started():
                    self._steps.append(_Running(event))
                    if self._live:
                        self._draw()
                    else:
                        self._line(f"· {event.title}" + _expectation(event.expected))
                    self._tick()
                case Said(line):
                    if self._steps:
                        self._steps[-1].news = harmless(line)
                    if self._live:
                        self._draw()
                case Finished():
                    self._finish(event)

    def _finish(self, event: Finished) -> None:
        running = self._steps.pop() if self._steps else _Running(Started(event.title))
        mark = self.style("✓", "green") if event.ok else self.style("✗", "red")
        room = columns() if self._live else WIDE
        title = 24 if room >= WIDE else 12
        note = min(40, max(room - title - 16, 0))  # the signs and spaces beside it, and `59 min 59 s`
        # A long name takes of the room for its note: the times stay below each other.
        said = f"{event.title:<{title}}  {harmless(event.note)}"
        told = f"{mark} {said:<{title + 2 + note}}  {self.style(running.elapsed(), 'dim')}"
        self._line(told.rstrip())
        if self._steps and self._live:
            self._draw()

    def _tick(self) -> None:
        if self._ticker is None:
            self._ticker = threading.Thread(target=self._remind, daemon=True)
            self._ticker.start()

    def _remind(self) -> None:
        """Keep the live line's clock going; in a pipe say every REMIND seconds that the step is still under way."""
        while True:
            time.sleep(0.2 if self._live else 1.0)
            with self._lock:
                if not self._steps:
                    self._ticker = None
                    return
                running = self._steps[-1]
                if self._live:
                    self._draw()
                elif time.monotonic() - running.told >= REMIND:
                    running.told = time.monotonic()
                    self._line(f"  … {running.line()}")

    def _draw(self) -> None:
        line = f"… {self._steps[-1].line()}"
        self._err.write(f"\r\033[2K{line[: columns() - 1]}")
        self._err.flush()

    def _clear(self) -> None:
        if self._live and self._steps:
            self._err.write("\r\033[2K")
            self._err.flush()

    def _line(self, text: str) -> None:
        with self._lock:
            if self._live:
                self._err.write("\r\033[2K")
            self._err.write(text + "\n")
            self._err.flush()


class _Running:
    """A step under way, and since when."""

    def __init__(self, started: Started) -> None:
        self.title = started.title
        self.expected = started.expected
        self.news = ""
        self.begun = self.told = time.monotonic()

    def elapsed(self) -> str:
        return duration(time.monotonic() - self.begun)

    def line(self) -> str:
        of = f" of about {duration(self.expected)}" if self.expected else ""
        return f"{self.title}  {self.elapsed()}{of}" + (f"  {self.news}" if self.news else "")


def _expectation(seconds: float | None) -> str:
    return f" (about {duration(seconds)})" if seconds and seconds >= REMIND else ""


console = Console(sys.stdout, sys.stderr)
