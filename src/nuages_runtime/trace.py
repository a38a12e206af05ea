"""Which files of the project a process opens: an answer that opened none of the changed ones is still the answer."""

from __future__ import annotations

import os
import sys
from pathlib import Path

# What another program or a library opens is not seen here.
_UNSEEN = frozenset(
    {
        "subprocess.Popen",
        "os.system",
        "os.exec",
        "os.posix_spawn",
        "os.spawn",
        "os.fork",
        "os.forkpty",
        "sqlite3.connect",
    }
)
# Which argument of an event names a file; "import" has one where an extension is loaded, which nothing opens.
_FILE = {"open": 0, "import": 1, "ctypes.dlopen": 0}


class Trace:
    """Begin with `Trace(folder)`; `told()` answers what was opened until then, and nothing more is noted."""

    def __init__(self, folder: Path) -> None:
        """Listen from now on; an audit hook stays, and costs nothing once told."""
        self._below = f"{folder.absolute()}{os.sep}"
        self._opened: set[str] = set()
        self._unseen = False
        self._ended = False
        sys.addaudithook(self._heard)

    def told(self) -> list[str] | None:
        """The opened files relative to the folder, sorted; None where not everything was seen."""
        self._ended = True
        return None if self._unseen else sorted(self._opened)

    def _heard(self, event: str, arguments: tuple[object, ...]) -> None:
        if self._ended:
            return
        if event in _FILE:
            if isinstance(opened := arguments[_FILE[event]], str | bytes):
                path = os.path.abspath(os.fsdecode(opened))  # noqa: PTH100 - a link stays a link, and this is called often
                if path.startswith(self._below):
                    self._opened.add(path[len(self._below) :])
        elif event in _UNSEEN:
            self._unseen = True
