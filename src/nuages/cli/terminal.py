"""The near side of a command that runs elsewhere: the terminal with its modes and its size, or a pipe."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import termios
import threading
import tty
from collections.abc import AsyncIterator, Callable, Iterator

from nuages.kube.streams import ERRORS
from nuages.release.session import Detached

CHUNK = 32 * 1024


class Terminal:
    """Standard input, output and errors, as this process has them."""

    def __init__(self) -> None:
        """A terminal is one where both sides are: output that goes to a file is no picture of a screen."""
        self.tty = sys.stdin.isatty() and sys.stdout.isatty()

    async def typed(self) -> AsyncIterator[bytes]:
        """What comes in, as it comes. On a terminal, Enter ~ . leaves, as with ssh.

        A thread reads: a file cannot be waited for (epoll), and a read that never returns must not hold the end up.
        """
        loop = asyncio.get_running_loop()
        chunks: asyncio.Queue[bytes] = asyncio.Queue(maxsize=8)

        def read() -> None:
            with contextlib.suppress(RuntimeError, OSError):  # the loop has ended, or the terminal is gone
                while data := os.read(0, CHUNK):
                    asyncio.run_coroutine_threadsafe(chunks.put(data), loop).result()
                asyncio.run_coroutine_threadsafe(chunks.put(b""), loop).result()

        threading.Thread(target=read, daemon=True).start()
        leaving = Leaving()
        while data := await chunks.get():
            if not self.tty:
                yield data
            elif passed := leaving.passed(data):
                yield passed

    def show(self, channel: int, data: bytes) -> None:
        """Write all of it; a reader that is slow slows the program down."""
        fd = 2 if channel == ERRORS else 1
        while data:
            data = data[os.write(fd, data) :]

    @contextlib.contextmanager
    def connected(self, tell: Callable[[int, int], None]) -> Iterator[None]:
        """Raw for the body: each key goes to the program, Ctrl-C too. Afterwards the terminal is as it was."""
        if not self.tty:
            yield
            return
        keys, loop = sys.stdin.fileno(), asyncio.get_running_loop()

        def changed() -> None:
            size = os.get_terminal_size(sys.stdout.fileno())
            tell(size.columns, size.lines)

        before = termios.tcgetattr(keys)
        loop.add_signal_handler(signal.SIGWINCH, changed)
        try:
            tty.setraw(keys, termios.TCSANOW)  # what was typed already is kept
            # Another size first: a program that one comes back to draws its prompt anew only where the size changes.
            size = os.get_terminal_size(sys.stdout.fileno())
            tell(max(size.columns - 1, 1), size.lines)
            changed()
            yield
        finally:
            loop.remove_signal_handler(signal.SIGWINCH)
            termios.tcsetattr(keys, termios.TCSADRAIN, before)


class Leaving:
    """Finds Enter ~ . in what is typed; a tilde after Enter is held back until the next key, and ~~ is one tilde."""

    def __init__(self) -> None:
        """At the beginning of a line."""
        self._fresh, self._held = True, False

    def passed(self, data: bytes) -> bytes:
        """What of the keys goes to the program.

        Raises:
            Detached: the person leaves.
        """
        out = bytearray()
        for key in data:
            if self._held:
                self._held = False
                if key == ord("."):
                    raise Detached
                if key != ord("~"):
                    out.append(ord("~"))
            elif self._fresh and key == ord("~"):
                self._held = True
                continue
            out.append(key)
            self._fresh = key in b"\r\n"
        return bytes(out)
