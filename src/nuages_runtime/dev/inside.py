"""In the server's own process: what it tells the supervisor, and what it hears from it.

A debugger that waits for keys (pdb, and those made of it) says so, that the keys of the terminal go to it; templates
and translations that changed are read anew, as Django's own development server does it; migrations that the database
lacks are named once.
"""

# Django is the image's.
# ruff: noqa: PLC0415
# mypy: disable-error-code="import-untyped,import-not-found"

from __future__ import annotations

import contextlib
import logging
import pdb
import socket
import threading
from pathlib import Path
from typing import Any

from nuages_runtime.dev import frames
from nuages_runtime.dev.places import SOCKET

log = logging.getLogger("nuages")


class Line:
    """The connection to the supervisor; says nothing where there is none."""

    def __init__(self) -> None:
        """Connect, and say that this is the process that serves."""
        self._lock = threading.Lock()
        self._socket: socket.socket | None = socket.socket(socket.AF_UNIX)
        try:
            self._socket.connect(SOCKET)
        except OSError:
            self._socket = None
        self.tell({"serves": True})

    def tell(self, message: frames.Message) -> None:
        """Send, from any thread."""
        if self._socket:
            with self._lock, contextlib.suppress(OSError):
                self._socket.sendall(frames.packed(message))

    def listen(self) -> None:
        """Hear of changes, in a thread."""
        if self._socket:
            threading.Thread(target=self._heard, daemon=True).start()

    def _heard(self) -> None:
        if self._socket is None:
            return
        with self._socket.makefile("rb") as file:
            while told := frames.read_now(file):
                if changed := told[0].get("changed"):
                    _changed(Path(str(changed)))


def begin() -> None:
    """Once in each process that serves, before the project is loaded."""
    line = Line()
    _debuggers(line)
    line.listen()
    _LINES.append(line)


def loaded() -> None:
    """Once the project is there. Its urls, and with them its views, are read now: what is wrong in them is said when it
    is saved, not at the next request.
    """
    from django.urls import get_resolver

    _ = get_resolver().url_patterns
    for line in _LINES:
        threading.Thread(target=_missing, args=[line], daemon=True).start()


_LINES: list[Line] = []


def _debuggers(line: Line) -> None:
    """Whatever begins a dialogue on the terminal says so. One at a time: another thread's breakpoint waits."""
    dialogue, own = threading.RLock(), pdb.Pdb.interaction

    def interaction(self: pdb.Pdb, *arguments: Any, **named: Any) -> Any:
        with dialogue:
            line.tell({"debugging": True})
            try:
                return own(self, *arguments, **named)
            finally:
                line.tell({"debugging": False})

    pdb.Pdb.interaction = interaction  # type: ignore[method-assign]


def _changed(path: Path) -> None:
    from django.utils.autoreload import file_changed

    with contextlib.suppress(Exception):
        file_changed.send(sender=None, file_path=path)


def _missing(line: Line) -> None:
    """Ask once; a database that does not answer says so where it is needed."""
    from nuages_runtime.startup import missing

    try:
        lacks = missing()
    except Exception as error:
        log.warning("what the database lacks is not known: %s", type(error).__name__)
        return
    line.tell({"lacks": lacks})
