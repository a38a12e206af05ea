"""A terminal to run a command in: a pty whose other side types, reads and changes the size."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from pathlib import Path

PATIENCE = 300  # seconds; only what is broken takes them


class Screen:
    """A command in a terminal of its own."""

    def __init__(self, command: list[str], folder: Path, env: dict[str, str], *, columns: int = 80, rows: int = 24):
        ours, theirs = pty.openpty()
        self._fd = ours
        self.resize(columns, rows, signalled=False)
        self.process = subprocess.Popen(
            command, cwd=folder, env=env, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - the test has one thread
        )  # fmt: skip
        self.modes = termios.tcgetattr(theirs)
        self._theirs = theirs
        self.text = ""

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._fd, text.encode())

    def resize(self, columns: int, rows: int, *, signalled: bool = True) -> None:
        """Change the window."""
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        if signalled:
            os.killpg(os.getpgid(self.process.pid), signal.SIGWINCH)

    def until(self, pattern: str, seconds: float = PATIENCE) -> re.Match[str]:
        """Read until something is to be seen, and forget what came before."""
        end = time.monotonic() + seconds
        while not (found := re.search(pattern, self.text)):
            over = self.process.poll() is not None  # what it wrote before may be to be read yet
            assert self._read(1) or not over, f"it ended, and {pattern!r} did not come; the screen: {self.text!r}"
            assert time.monotonic() < end, f"{pattern!r} did not come; the screen: {self.text!r}"
        self.text = self.text[found.end() :]
        return found

    def ended(self, seconds: float = PATIENCE) -> int:
        """Wait for the command's end; answers its exit code."""
        end = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < end, f"it goes on; the screen: {self.text!r}"
            self._read(0.1)
        return self.process.returncode

    def close(self) -> None:
        """Close the window, and end what still runs in it."""
        self.process.kill()
        self.process.wait()
        os.close(self._fd)
        os.close(self._theirs)

    def restored(self) -> bool:
        """Whether the terminal's modes are as they were."""
        return termios.tcgetattr(self._theirs) == self.modes

    def size(self) -> str:
        """What the shell in it says of the window's size: rows and columns."""
        self.type("stty size\r")
        return self.until(r"(\d+ \d+)\r\n")[1]

    def _read(self, seconds: float) -> bool:
        """Take what there is to see; answers whether there was anything."""
        if not select.select([self._fd], [], [], seconds)[0]:
            return False
        self.text += os.read(self._fd, 65536).decode(errors="replace")
        return True
