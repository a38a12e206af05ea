"""The terminal of `nuages dev`: what the server writes, lines of ours between it, and keys.

A key is a wish (r, m, b, o, q) until a debugger waits in the server; then all of them go there. Ctrl-C leaves at any
time. In a pipe there are no keys, and every line is plain.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import termios
import webbrowser
from collections.abc import AsyncIterator, Callable, Iterator

from nuages.cli.console import Console, harmless

WISHES = {"q": "leave", "b": "build", "r": "restart", "m": "migrate"}
_STYLES = {"✓": "green", "✗": "red", "!": "yellow", "@": "bold"}


class Terminal:
    """Standard input and output, as this process has them."""

    def __init__(self, console: Console) -> None:
        """Nothing is shown yet."""
        self.tty = sys.stdin.isatty() and sys.stdout.isatty()
        self.when_served: Callable[[str], object] = lambda _: None
        self._console = console
        self._address = ""
        self._debugging = False
        self._fresh = True
        self._keys: asyncio.Queue[str | bytes] = asyncio.Queue()

    # what is shown

    def show(self, data: bytes) -> None:
        """What the server writes, as it is: its colours, and a debugger's dialogue."""
        self._fresh = data.endswith(b"\n")
        while data:
            data = data[os.write(1, data) :]

    def say(self, line: str, mark: str = "·") -> None:
        """A line of ours, at the beginning of one."""
        if not self._fresh:
            self.show(b"\n")
        shown = self._console.style(mark, _STYLES[mark]) if mark in _STYLES else mark
        self.show(f"{shown} {harmless(line)}\n".encode())

    def debugging(self, on: bool) -> None:
        """Keys go to the debugger now, or are wishes again."""
        if on and not self._debugging and not self.tty:
            self.say("a debugger waits in the server, and here is no terminal to type in", "!")
        self._debugging = on

    def size(self) -> tuple[int, int]:
        """Columns and rows."""
        found = shutil.get_terminal_size()
        return found.columns, found.lines

    def at(self, address: str) -> None:
        """It is served: where, and which keys there are."""
        again, self._address = self._address == address, address
        self.say(f"{address}  " + ("r restart, m migrate, b build, o open, q leave" if self.tty else "Ctrl-C leaves"))
        if not again:
            self.when_served(address)

    # keys

    async def keys(self) -> AsyncIterator[str | bytes]:
        """Wishes, and keys for the debugger."""
        while True:
            yield await self._keys.get()

    @contextlib.contextmanager
    def attended(self) -> Iterator[None]:
        """Each key at once, for the body; Ctrl-C, the end of the terminal and SIGTERM are all a wish to leave."""
        loop = asyncio.get_running_loop()
        self._keys = asyncio.Queue()
        ends = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        for number in ends:
            loop.add_signal_handler(number, self._leaves)
        if not self.tty:
            yield
            return
        before = termios.tcgetattr(0)
        modes = termios.tcgetattr(0)
        modes[3] &= ~(termios.ICANON | termios.ECHO)
        try:
            termios.tcsetattr(0, termios.TCSADRAIN, modes)
            loop.add_reader(0, self._typed)
            loop.add_signal_handler(signal.SIGWINCH, self._keys.put_nowait, "resized")
            yield
        finally:
            loop.remove_reader(0)
            loop.remove_signal_handler(signal.SIGWINCH)
            with contextlib.suppress(termios.error):  # the terminal is gone
                termios.tcsetattr(0, termios.TCSADRAIN, before)

    def _leaves(self) -> None:
        """Once; whoever asks again is heard by everything that waits."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().remove_signal_handler(number)
        if self._address and not self._fresh:
            self.show(b"\n")
        self._keys.put_nowait("leave")

    def _typed(self) -> None:
        try:
            data = os.read(0, 1024)
        except OSError:
            data = b""
        if not data:
            self._keys.put_nowait("leave")
            asyncio.get_running_loop().remove_reader(0)
        elif self._debugging:
            self._keys.put_nowait(data)
        else:
            for key in data.decode(errors="ignore"):
                self._wished(key)

    def _wished(self, key: str) -> None:
        if key in WISHES:
            self._keys.put_nowait(WISHES[key])
        elif key == "o" and self._address:
            webbrowser.open(self._address)
        elif key in "?h\r\n" and self._address:
            self.say("r restart, m migrate, b build, o open, q leave")
