"""`python -m nuages_runtime.serve`: become gunicorn, with arguments that follow from NUAGES_* variables.

In: NUAGES_PORT (8000), NUAGES_WORKERS (1), NUAGES_THREADS (4), NUAGES_TIMEOUT (31 s), NUAGES_GRACEFUL_TIMEOUT (30 s).
The process is replaced (exec), so that SIGTERM reaches the server and not an interpreter in front of it. A project's
own gunicorn.conf.py and GUNICORN_CMD_ARGS are read by gunicorn as ever; what is given here wins over them, for the
pod's grace period is computed from it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from importlib import metadata

# gunicorn 25.1 opens a control socket in the home folder, which a read-only root forbids; before, the option aborts the
# start.
CONTROL_SOCKET_SINCE = (25, 1)
APPLICATION = "nuages_runtime.wsgi:application"


def arguments(environ: Mapping[str, str], version: tuple[int, ...]) -> list[str]:
    """Gunicorn's command line (without the program) for these variables and this version of it."""
    line = [
        f"--bind=0.0.0.0:{environ.get('NUAGES_PORT', '8000')}",
        # Threads, even one: only this worker keeps idle connections, and answers what arrives on them while it is
        # stopping.
        "--worker-class=gthread",
        f"--workers={environ.get('NUAGES_WORKERS', '1')}",
        f"--threads={environ.get('NUAGES_THREADS', '4')}",
        f"--timeout={environ.get('NUAGES_TIMEOUT', '31')}",
        f"--graceful-timeout={environ.get('NUAGES_GRACEFUL_TIMEOUT', '30')}",
        # Longer than the 60 s of the usual load balancers: the side that closes first must be the client's, or requests
        # are lost.
        "--keep-alive=75",
        # The heartbeat is a file; on a disk a slow write looks like a dead worker.
        "--worker-tmp-dir=/dev/shm",
        "--access-logfile=-",
        # Only the cluster's own proxies reach the port (NetworkPolicy); without this their X-Forwarded-Proto is
        # ignored.
        "--forwarded-allow-ips=*",
    ]
    if version >= CONTROL_SOCKET_SINCE:
        line.append("--no-control-socket")
    return [*line, APPLICATION]


def version_of(distribution: str) -> tuple[int, ...]:
    """The leading numbers of an installed distribution's version: "27.0.1" is (27, 0, 1)."""
    numbers = []
    for part in metadata.version(distribution).split("."):
        if not part.isdigit():
            break
        numbers.append(int(part))
    return tuple(numbers)


def main() -> None:
    """Replace this process by the server; ends with 1 and one clear line where the image has none."""
    try:
        version = version_of("gunicorn")
    except metadata.PackageNotFoundError:
        sys.exit("nuages: gunicorn is not installed in this image")
    os.execv(sys.executable, [sys.executable, "-m", "gunicorn", *arguments(os.environ, version)])  # noqa: S606


if __name__ == "__main__":
    main()
