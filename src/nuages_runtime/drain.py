"""Between SIGTERM and the server's own end: for two seconds every answer closes its connection.

A server that stops closes the connections that are kept and idle. Whatever a client sends on one in that moment is
lost, though no new connection comes any more. So first the clients are told, by `Connection: close` on their next
answers, and only then the server stops.

The flag is one byte in memory that the server's processes share, by way of a file that NUAGES_DRAINING names.
"""

from __future__ import annotations

import mmap
import os
import signal
import tempfile
from pathlib import Path
from threading import current_thread, main_thread
from types import FrameType

SECONDS = 2
VARIABLE = "NUAGES_DRAINING"
_SHARED = Path("/dev/shm")  # noqa: S108 - memory, and writable under a read-only root

_flag: bytearray | mmap.mmap = bytearray(1)


def memory() -> Path:
    """The folder that is in memory; where there is none, that for temporary files."""
    return _SHARED if os.access(_SHARED, os.W_OK) else Path(tempfile.gettempdir())


def create() -> None:
    """Make the shared flag, for this process and those that it starts."""
    file = memory() / f"nuages-draining-{os.getpid()}"
    file.write_bytes(b"\0")  # one of an earlier container of this pod may lie there
    os.environ[VARIABLE] = str(file)
    attach()


def attach() -> None:
    """Use the shared flag, where the server made one."""
    global _flag  # noqa: PLW0603 - one process, one flag
    if name := os.environ.get(VARIABLE):
        with Path(name).open("r+b") as file:
            _flag = mmap.mmap(file.fileno(), 1)


def draining() -> bool:
    """Whether answers are to close their connections."""
    return _flag[0] == 1


def start() -> None:
    """From now on they are."""
    _flag[0] = 1


def before_sigterm_of(loop: object) -> bool:
    """As `before_sigterm`, where an event loop has the handler, as gunicorn's own worker for ASGI gives it; False where
    it shows none. To be called in its own thread.
    """
    handle = getattr(loop, "_signal_handlers", {}).get(signal.SIGTERM)
    if handle is None or not hasattr(loop, "add_signal_handler"):
        return False
    own, arguments = handle._callback, handle._args

    def drain() -> None:
        if draining():  # asked twice: at once
            own(*arguments)
            return
        start()
        loop.call_later(SECONDS, own, *arguments)  # type: ignore[attr-defined]

    loop.add_signal_handler(signal.SIGTERM, drain)
    return True


def before_sigterm() -> bool:
    """Put the draining before what this process does at SIGTERM now; False where that is not a function of Python's.

    By an alarm and no thread: a server may fork, and a handler of Python's runs in the main thread as the server's own
    would.
    """
    own = signal.getsignal(signal.SIGTERM)
    if (
        not callable(own)
        or getattr(own, "__module__", "").startswith("asyncio")
        or current_thread() is not main_thread()
    ):
        return False

    def stop(_number: int, frame: FrameType | None) -> None:
        own(signal.SIGTERM, frame)

    def drain(_number: int, frame: FrameType | None) -> None:
        if draining():  # asked twice: at once
            own(signal.SIGTERM, frame)
            return
        start()
        signal.signal(signal.SIGALRM, stop)
        signal.setitimer(signal.ITIMER_REAL, SECONDS)

    signal.signal(signal.SIGTERM, drain)
    return True
