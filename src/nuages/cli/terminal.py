"""The near side of a command that runs elsewhere: the terminal with its modes and its size, or a pipe."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator

from nuages.cli import near
from nuages.release.leaving import Leaving


class Terminal:
    """Standard input, output and errors, as this process has them."""

    def __init__(self) -> None:
        """Look once at what they are."""
        self.tty = near.terminal()

    async def typed(self) -> AsyncIterator[bytes]:
        """What comes in, as it comes. On a terminal, Enter ~ . leaves, as with ssh.

        A thread reads: a file cannot be waited for (epoll), and a read that never returns must not hold the end up.
        """
        loop = asyncio.get_running_loop()
        chunks: asyncio.Queue[bytes] = asyncio.Queue(maxsize=8)

        def read() -> None:
            with contextlib.suppress(RuntimeError, OSError):  # the loop has ended, or the terminal is gone
                while data := os.read(0, near.CHUNK):
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
        near.show(channel, data)

    @contextlib.contextmanager
    def connected(self, tell: Callable[[int, int], None]) -> Iterator[None]:
        """Raw for the body: each key goes to the program, Ctrl-C too. Afterwards the terminal is as it was."""
        if not self.tty:
            yield
            return
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGWINCH, lambda: tell(*near.size()))
        try:
            with near.raw():
                for columns, rows in near.first():
                    tell(columns, rows)
                yield
        finally:
            loop.remove_signal_handler(signal.SIGWINCH)
