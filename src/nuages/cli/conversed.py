"""Between this process's terminal, or a pipe, and a program in a container: bytes in, bytes out, until one side ends.

As release/session.py, for one command that does nothing else: `select` waits for both sides.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from select import select

from nuages.cli import near
from nuages.kube.wire import FULL, Wire
from nuages.release.leaving import Leaving

KEYS = 0
"""Standard input."""


def conversed(wire: Wire, *, tty: bool) -> int | None:
    """Pass bytes both ways until the command ends; answers its exit code, None where only its streams have ended."""
    typing, leaving = True, Leaving() if tty else None
    with _terminal(wire) if tty else nullcontext(-1) as resized:
        while not wire.ended:
            pause = wire.keep_alive()
            wire.flush()
            reads: list[Wire | int] = [wire, *([resized] if tty else [])]
            reads += [KEYS] if typing and wire.waiting < FULL else []
            ready, _, _ = select(reads, [wire] if wire.waiting else [], [], 0 if wire.came else pause)
            for channel, data in wire.heard():
                near.show(channel, data)
            if KEYS in ready:
                typing = _typed(wire, leaving)
            if resized in ready:
                os.read(resized, near.CHUNK)
                wire.resize(*near.size())
        wire.flush()
    return wire.exit_code


def _typed(wire: Wire, leaving: Leaving | None) -> bool:
    """Pass on what came in; whether more may come.

    Raises:
        Detached: the person left.
    """
    try:
        data = os.read(KEYS, near.CHUNK)
    except OSError:  # the terminal is gone
        return False
    if not data:
        wire.close_input()
        return False
    if passed := leaving.passed(data) if leaving else data:
        wire.send(passed)
    return True


@contextmanager
def _terminal(wire: Wire) -> Iterator[int]:
    """The terminal is the program's for the body; a descriptor that can be read where its size has changed."""
    reads, writes = os.pipe()
    os.set_blocking(writes, False)
    signal.signal(signal.SIGWINCH, lambda *_: None)
    before = signal.set_wakeup_fd(writes, warn_on_full_buffer=False)
    try:
        with near.raw():
            for columns, rows in near.first():
                wire.resize(columns, rows)
            yield reads
    finally:
        signal.set_wakeup_fd(before)
        signal.signal(signal.SIGWINCH, signal.SIG_DFL)
        os.close(reads)
        os.close(writes)
