"""A heartbeat of its own thread's: the file that alive.py looks at, written while the loop that it watches turns.

Not written by the loop: that stands still while a broker is away, and while a task runs in it. What stands still for a
good reason is excused; what should turn and does not for half a minute is not alive, and the file grows old.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from nuages_runtime import alive

EVERY = 5.0
PATIENCE = 30.0


class Heart:
    """`turned()` is called by the loop itself; `state` says what it does, and whether that excuses it."""

    def __init__(self, file: str = alive.FILE, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin as one that connects."""
        self._file, self._clock = Path(file), clock
        self._turned = clock()
        self._state, self._excused = alive.CONNECTING, True
        self.ask: Callable[[], bool] = lambda: False
        """Called before each look: answers whether the loop is busy with a task in its own thread."""

    def excuse(self, state: str) -> None:
        """It stands still, and may: reconnecting, stopping. One that never turned is still connecting."""
        self._excused = True
        if self._state != alive.CONNECTING:
            self._state = state

    def turned(self) -> None:
        """It turns."""
        self._turned = self._clock()
        news, self._state, self._excused = self._state != "running", "running", False
        if news:
            self.write()

    def healthy(self) -> bool:
        """Whether a heartbeat is due."""
        return self._excused or self.ask() or self._clock() - self._turned < PATIENCE

    def write(self) -> None:
        """One heartbeat, if one is due."""
        if self.healthy():
            with suppress(OSError):  # a full disk, say: the file grows old, and is written again once there is room
                self._file.write_text(f"{self._state}\n")

    def start(self) -> None:
        """From now on, in a thread that ends with the process."""
        self.write()
        threading.Thread(target=self._run, name="nuages-heart", daemon=True).start()

    def _run(self) -> None:
        while True:
            time.sleep(EVERY)
            self.write()
