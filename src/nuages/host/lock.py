"""One command at a time: a lock file that the kernel frees when its holder dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nuages.progress import Sink, step


@contextmanager
def locked(path: Path, sink: Sink, waiting_for: str) -> Iterator[None]:
    """Hold the lock for the body; while another holds it, say so and wait. The body may remove the file."""
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                with step(sink, f"wait for {waiting_for}"):
                    fcntl.flock(handle, fcntl.LOCK_EX)
            if _is(path, handle.fileno()):
                yield
                return
            # Its holder removed the file while we waited: our lock is on a file that nobody else can find.


def _is(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
