"""Whether the start of a process is slow because the kernel withholds the processor (limits.cpu), said while it lasts.

While the project is loaded a thread reads how long this container had work and no processor (`throttled_usec` of its
cgroup, https://docs.kernel.org/admin-guide/cgroup-v2.html#cpu-interface-files), and logs a line where that is a large
part of the time. A start that is ended by its probe leaves that line as its last; one that is quick, none.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

log = logging.getLogger("nuages")

# cgroup v2 in microseconds, v1 in nanoseconds.
_PLACES = (
    (Path("/sys/fs/cgroup/cpu.stat"), "throttled_usec", 1e6),
    (Path("/sys/fs/cgroup/cpu/cpu.stat"), "throttled_time", 1e9),
)
EVERY = 3.0
# Of the time; below, the start is slow for another reason.
MUCH = 0.3


def seconds() -> float | None:
    """How long this container had no processor so far, though it had work; None where the kernel does not tell."""
    for place, name, unit in _PLACES:
        with suppress(OSError, ValueError):
            for line in place.read_text().splitlines():
                if line.startswith(name + " "):
                    return int(line.split()[1]) / unit
    return None


@contextmanager
def watched(every: float = EVERY) -> Iterator[None]:
    """Say so while the body runs, at most once in `every` seconds."""
    begun, before, over = time.monotonic(), seconds(), threading.Event()
    if before is None:
        yield
        return

    def look() -> None:
        while not over.wait(every):
            lost, passed = (seconds() or 0) - before, time.monotonic() - begun
            # All of its threads count, so it may be more than the time that passed.
            if lost > MUCH * passed:
                lost = min(lost, passed)
                log.warning("start-up is slow: the processor was withheld for %.1f of %.1f s", lost, passed)

    threading.Thread(target=look, name="nuages-withheld", daemon=True).start()
    try:
        yield
    finally:
        over.set()
