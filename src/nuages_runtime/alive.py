"""`python -I -m nuages_runtime.alive 60`: exit code 0 while the worker or beat wrote its heartbeat within 60 seconds.
`alive 60 running` asks for more: that it has reached its broker once.

The kubelet runs it every few seconds: it reads one time stamp and imports nothing of the project's.
"""

import os
import sys
import time

FILE = "/tmp/nuages-alive"  # noqa: S108 - a pod's own
CONNECTING = "connecting"


def age() -> float:
    """Seconds since the last heartbeat; endless where there was none yet."""
    try:
        return time.time() - os.stat(FILE).st_mtime  # noqa: PTH116 - pathlib costs a third of the time of it all
    except FileNotFoundError:
        return float("inf")


def main() -> None:
    """Compare, and say in one line what is wrong."""
    limit = float(sys.argv[1]) if len(sys.argv) > 1 else 60
    if (found := age()) > limit:
        sys.exit(f"nuages: no heartbeat for {found:.0f} s" if found < float("inf") else "nuages: no heartbeat yet")
    if "running" in sys.argv[2:]:
        with open(FILE) as file:  # noqa: PTH123
            state = file.read().strip()
        if state == CONNECTING:
            sys.exit("nuages: no connection to the broker yet")


if __name__ == "__main__":
    main()
