"""The server's process, with a terminal of its own: started anew when the code changed, and asked when it answers."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable

from nuages_runtime.dev.places import INSIDE

_SOON = 1.0  # seconds that a server has to end by itself
_ASKED = 0.02  # seconds between looks whether it listens
_KEPT = 1 << 18  # bytes of what it wrote, for who was away for a moment
_SAID = 6000  # bytes of it that a page shows


class Served:
    """One server at a time; `tell` hears what becomes of it."""

    def __init__(self, command: list[str], tell: Callable[[dict[str, object]], None], show: Callable[[bytes], None]):
        """Nothing runs yet, `restart` starts it."""
        self._command, self._tell, self._show = command, tell, show
        self._process: asyncio.subprocess.Process | None = None
        self._terminal = -1
        self._wanted = asyncio.Event()
        self._news = asyncio.Event()
        self._size = (24, 80)
        self.kept = bytearray()
        """The end of what it wrote; `written` is how much that was in all."""
        self.written = 0
        self._begun = 0
        self.ready = False
        self.code: int | None = None
        """With which it ended by itself; None while it runs or starts."""

    def restart(self) -> None:
        """A new one, as soon as the old one has ended."""
        self.ready, self.code = False, None
        self._wanted.set()

    async def answers(self) -> None:
        """Wait until it listens, or has ended without."""
        while not self.ready and self.code is None:
            self._news.clear()
            await self._news.wait()

    async def run(self) -> None:
        """Keep to what is wanted, for ever."""
        await self._wanted.wait()
        while True:
            self._wanted.clear()
            began = time.monotonic()
            self._tell({"state": "starting"})
            process = await self._start()
            again = asyncio.create_task(self._wanted.wait())
            ended = asyncio.create_task(process.wait())
            if await self._listens(again, ended):
                self.ready = True
                self._tell({"state": "ready", "seconds": round(time.monotonic() - began, 3)})
                self._news.set()
            await asyncio.wait({again, ended}, return_when=asyncio.FIRST_COMPLETED)
            self.ready = False
            if not again.done():
                self._end_of(process)
                await again
            await self.stop()
            ended.cancel()

    async def stop(self) -> None:
        """End it, and what it started."""
        process, self._process = self._process, None
        if process is None:
            return
        for number, seconds in ((signal.SIGTERM, _SOON), (signal.SIGKILL, 10.0)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(process.wait(), seconds)
                break
        self._read()
        asyncio.get_running_loop().remove_reader(self._terminal)
        os.close(self._terminal)
        self._terminal = -1

    def type(self, data: bytes) -> None:
        """Keys, for a debugger that waits."""
        if self._terminal >= 0:
            with contextlib.suppress(OSError):
                os.write(self._terminal, data)

    def resize(self, columns: int, rows: int) -> None:
        """The size of whose terminal it is."""
        self._size = (rows, columns)
        if self._terminal >= 0:
            fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def last_words(self) -> str:
        """What the present one wrote, its end."""
        since = max(self._begun - (self.written - len(self.kept)), 0)
        return bytes(self.kept[since:][-_SAID:]).decode(errors="replace").strip()

    async def _start(self) -> asyncio.subprocess.Process:
        ours, theirs = os.openpty()
        modes = termios.tcgetattr(theirs)
        modes[1] &= ~termios.OPOST  # whoever shows it knows how lines end there
        termios.tcsetattr(theirs, termios.TCSANOW, modes)
        os.set_blocking(ours, False)
        self._terminal, self._begun = ours, self.written
        self.resize(self._size[1], self._size[0])
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
            )
        finally:
            os.close(theirs)
        asyncio.get_running_loop().add_reader(ours, self._read)
        self._process = process
        return process

    async def _listens(self, *unless: asyncio.Task[object]) -> bool:
        """Look until it does; not any more where one of these came first."""
        while not any(task.done() for task in unless):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", INSIDE)
            except OSError:
                await asyncio.wait(unless, timeout=_ASKED, return_when=asyncio.FIRST_COMPLETED)
            else:
                writer.close()
                return True
        return False

    def _end_of(self, process: asyncio.subprocess.Process) -> None:
        self._read()
        code = process.returncode or 0
        self.code = 128 - code if code < 0 else code
        self._tell({"state": "ended", "code": self.code})
        self._news.set()

    def _read(self) -> None:
        """What it wrote; for those that look at the pod's log as well."""
        with contextlib.suppress(OSError):  # BlockingIOError: nothing more; EIO: all that could write have ended
            while self._terminal >= 0 and (data := os.read(self._terminal, 1 << 16)):
                self.kept += data
                del self.kept[: max(len(self.kept) - _KEPT, 0)]
                self.written += len(data)
                sys.stdout.buffer.write(data)
                sys.stdout.buffer.flush()
                self._show(data)
            return
