"""Knowing a process again: by its pid and when it started."""

from __future__ import annotations

import os
import select
import signal
from contextlib import suppress
from pathlib import Path

import msgspec


class Process(msgspec.Struct, frozen=True):
    """A process that may have ended since: its pid, and when it began in clock ticks since boot (a pid comes again)."""

    pid: int
    started: int

    def alive(self) -> bool:
        """Whether this very process still runs; one that only waits to be reaped does not."""
        return _stat(self.pid) == (self.started, True)

    def kill(self) -> None:
        """End it by SIGKILL and wait until it is gone. One that is gone already is fine."""
        try:
            handle = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return
        try:
            if self.alive():  # asked while the handle is held: the pid cannot come to mean another process in between
                signal.pidfd_send_signal(handle, signal.SIGKILL)
                select.select([handle], [], [])
        finally:
            os.close(handle)


def children(pid: int) -> list[Process]:
    """The processes that this one started and that run now."""
    pids: set[int] = set()
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(FileNotFoundError, ProcessLookupError):  # the thread ended while we looked
            pids.update(int(child) for child in thread.read_text().split())
    return [found for child in sorted(pids) if (found := process(child))]


def process(pid: int) -> Process | None:
    """The process that has this pid now, if any."""
    found = _stat(pid)
    return Process(pid, found[0]) if found and found[1] else None


def _stat(pid: int) -> tuple[int, bool] | None:
    """Start time (field 22 of proc(5) stat) and whether it runs (a zombie does not)."""
    try:
        content = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = content[content.rindex(")") + 2 :].split()  # the name before it may hold anything
    return int(fields[19]), fields[0] not in "ZX"
