"""`python -m nuages_runtime.dev.bridge`: standard input and output, passed on to the supervisor's socket and back.

What the tool starts by `exec`: it may come and go, the supervisor stays.
"""

from __future__ import annotations

import os
import socket
import sys
import threading

from nuages_runtime.dev.places import SOCKET

_CHUNK = 1 << 16


def main() -> int:
    """Until one side ends; 75 where nobody listens yet (EX_TEMPFAIL)."""
    there = socket.socket(socket.AF_UNIX)
    try:
        there.connect(SOCKET)
    except OSError:
        return 75

    def outwards() -> None:
        while data := there.recv(_CHUNK):
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(1, rest) :]
        os._exit(0)

    threading.Thread(target=outwards, daemon=True).start()
    while data := os.read(0, _CHUNK):
        there.sendall(data)
    return 0


if __name__ == "__main__":
    sys.exit(main())
