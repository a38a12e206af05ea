"""A number for each process that counts, free again when the process ends: who comes next goes on with the files of who
went.

prometheus_client calls a process's files by its id. A server that replaces its processes now and then leaves those of
each one behind, in memory that the pod has 64 MB of; once that is full, whoever writes is killed (SIGBUS).
"""

# mypy: disable-error-code="import-untyped,import-not-found"

from __future__ import annotations

import fcntl
import os
from pathlib import Path

MOST = 1_000
_PREFIX = "slot"


class Slots:
    """Slot N is taken by a lock on byte N of one file, which the kernel gives back however its process ends."""

    def __init__(self, folder: Path) -> None:
        """Share the slots of a folder; none is taken yet."""
        self._folder = folder
        self._file = os.open(folder / "slots", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._process = 0
        self._mine = ""

    def mine(self) -> str:
        """The name of this process's slot; after a fork, one of its own."""
        if self._process != os.getpid():
            self._mine, self._process = self._take(), os.getpid()
        return self._mine

    def ended(self, name: str) -> bool:
        """Whether nobody has the slot, or the process of that id, any more."""
        if not name.startswith(_PREFIX):
            return not Path("/proc", name).exists()
        if name == self.mine():
            return False
        number = int(name.removeprefix(_PREFIX))
        if self._lock(number):
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, number)
            return True
        return False

    def _take(self) -> str:
        for number in range(MOST):
            if self._lock(number):
                name = f"{_PREFIX}{number}"
                for left in self._folder.glob(f"gauge_live*_{name}.db"):  # what its last process was in the midst of
                    left.unlink(missing_ok=True)
                return name
        return str(os.getpid())

    def _lock(self, number: int) -> bool:
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
        except OSError:
            return False
        return True
