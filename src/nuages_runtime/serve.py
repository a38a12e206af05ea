"""`python -m nuages_runtime.serve`: become the web server, with options that follow from NUAGES_* variables.

In: NUAGES_SERVER (gunicorn, uvicorn, granian), NUAGES_INTERFACE (wsgi, asgi), NUAGES_PORT (8000), NUAGES_WORKERS (1),
NUAGES_THREADS (4), NUAGES_TIMEOUT (31 s), NUAGES_GRACEFUL_TIMEOUT (30 s), NUAGES_METRICS_PORT.

gunicorn replaces this process, the others run in it: SIGTERM reaches the server and not an interpreter in front of it.
An option is given only where the installed version has it, for a project's lock decides on the version. A project's own
gunicorn.conf.py and GUNICORN_CMD_ARGS are read by gunicorn as ever; what is given here wins over them, for the pod's
grace period is computed from it.
"""

# The servers are the image's.
# ruff: noqa: PLC0415
# mypy: disable-error-code="import-untyped,import-not-found"

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Mapping
from importlib import metadata
from typing import Any

from nuages_runtime import drain, logs, metrics

# Longer than the 60 s of the usual load balancers: the side that closes first must be the client's, or requests are
# lost.
KEEP_ALIVE = 75
# A process that leaks is replaced now and then, and not all at the same moment; one that is alone never is: until its
# requests have ended and the next one has started, nobody would answer, probes neither.
MAX_REQUESTS, JITTER = 10_000, 1_000
# gunicorn 25.1 opens a control socket in the home folder, which a read-only root forbids; before, the option aborts the
# start.
CONTROL_SOCKET_SINCE = (25, 1)
ASGI_WORKER_SINCE = (26, 1)
APPLICATIONS = {"wsgi": "nuages_runtime.wsgi:application", "asgi": "nuages_runtime.asgi:application"}


class Numbers:
    """What the environment says, with what holds where it says nothing."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Read it."""
        self.interface = environ.get("NUAGES_INTERFACE") or "wsgi"
        self.application = APPLICATIONS[self.interface]
        self.host = "0.0.0.0"  # noqa: S104 - in a pod
        self.port = int(environ.get("NUAGES_PORT", "8000"))
        self.workers = int(environ.get("NUAGES_WORKERS", "1"))
        self.threads = int(environ.get("NUAGES_THREADS", "4"))
        self.timeout = int(environ.get("NUAGES_TIMEOUT", "31"))
        self.graceful = int(environ.get("NUAGES_GRACEFUL_TIMEOUT", "30"))


def gunicorn(numbers: Numbers, version: tuple[int, ...]) -> list[str]:
    """Gunicorn's command line (without the program) for these numbers and this version of it."""
    line = [
        f"--bind={numbers.host}:{numbers.port}",
        # Threads, even one: of those for WSGI only this worker keeps idle connections, and answers what arrives on them
        # while it is stopping.
        f"--worker-class={'gthread' if numbers.interface == 'wsgi' else asgi_worker(version)}",
        f"--workers={numbers.workers}",
        f"--timeout={numbers.timeout}",
        f"--graceful-timeout={numbers.graceful}",
        f"--keep-alive={KEEP_ALIVE}",
        # The heartbeat is a file; on a disk a slow write looks like a dead worker.
        f"--worker-tmp-dir={drain.memory()}",
        "--logger-class=nuages_runtime.logs.Gunicorn",
    ]
    if numbers.workers > 1:
        line += [f"--max-requests={MAX_REQUESTS}", f"--max-requests-jitter={JITTER}"]
    if numbers.interface == "wsgi":
        line.append(f"--threads={numbers.threads}")
    if version >= CONTROL_SOCKET_SINCE:
        line.append("--no-control-socket")
    return [*line, numbers.application]


def asgi_worker(version: tuple[int, ...]) -> str:
    """Gunicorn's own, or before it had one that of uvicorn."""
    if version >= ASGI_WORKER_SINCE:
        return "asgi"
    if version_of("uvicorn-worker"):
        return "uvicorn_worker.UvicornWorker"
    if version_of("uvicorn"):
        return "uvicorn.workers.UvicornWorker"
    sys.exit("nuages: this gunicorn serves no ASGI; write web.*.server: uvicorn, or install gunicorn >= 26.1")


def uvicorn(numbers: Numbers, known: Mapping[str, object]) -> dict[str, Any]:
    """The arguments of `uvicorn.run`, those that are `known`."""
    wanted: dict[str, Any] = {
        "host": numbers.host,
        "port": numbers.port,
        "workers": numbers.workers,
        "timeout_keep_alive": KEEP_ALIVE,
        "timeout_graceful_shutdown": numbers.graceful,
        "lifespan": "on",
        "access_log": False,
        "proxy_headers": False,  # asgi.py looks at the one that counts
        "server_header": False,
        "log_config": logs.server(logs.kind()),
    }
    # Before 0.30 nothing came in the place of a process that ended; those that know the jitter are newer.
    if numbers.workers > 1 and "limit_max_requests_jitter" in known:
        wanted |= {"limit_max_requests": MAX_REQUESTS, "limit_max_requests_jitter": JITTER}
    return {name: value for name, value in wanted.items() if name in known}


def granian(numbers: Numbers, known: Mapping[str, object]) -> dict[str, Any]:
    """The arguments of granian's server, those that are `known`.

    No process is replaced after a time or a number of requests: each has a socket of its own, and what waits there
    would be reset (granian says so itself where net.ipv4.tcp_migrate_req is off).
    """
    from granian.constants import HTTPModes, Interfaces
    from granian.http import HTTP1Settings

    # Also the time for which it keeps an idle connection.
    idle = {"header_read_timeout": KEEP_ALIVE * 1000}
    idle = {name: value for name, value in idle.items() if name in inspect.signature(HTTP1Settings).parameters}
    wanted: dict[str, Any] = {
        "address": numbers.host,
        "port": numbers.port,
        "interface": Interfaces(numbers.interface),
        "http": HTTPModes("1"),
        "websockets": numbers.interface == "asgi",
        "workers": numbers.workers,
        "http1_settings": HTTP1Settings(**idle),
        "workers_kill_timeout": numbers.graceful,
        # Other processes go on while one that died is replaced; one that dies again and again ends the server.
        "respawn_failed_workers": numbers.workers > 1,
        "log_dictconfig": logs.server(logs.kind()),
    }
    if numbers.interface == "wsgi":
        # A thread that ends takes its database connection with it: none ends while there is anything to do.
        wanted |= {"blocking_threads": numbers.threads, "blocking_threads_idle_timeout": 600}
    return {name: value for name, value in wanted.items() if name in known}


def run_gunicorn(numbers: Numbers) -> None:
    """Replace this process."""
    arguments = gunicorn(numbers, version_of("gunicorn"))
    os.execv(sys.executable, [sys.executable, "-m", "gunicorn", *arguments])  # noqa: S606


def run_uvicorn(numbers: Numbers) -> None:
    """Run it; each of its processes drains by itself (asgi.py)."""
    import uvicorn as server

    if numbers.interface != "asgi":
        sys.exit("nuages: uvicorn serves ASGI only; write web.*.interface: asgi, or another server")
    server.run(numbers.application, **uvicorn(numbers, inspect.signature(server.run).parameters))


def run_granian(numbers: Numbers) -> None:
    """Run it; this process tells the others that they drain."""
    from granian import Granian

    server = Granian(numbers.application, **granian(numbers, inspect.signature(Granian.__init__).parameters))
    if hasattr(server, "on_startup"):
        drain.create()
        server.on_startup(drain.before_sigterm)
    server.serve()


SERVERS: dict[str, Callable[[Numbers], None]] = {
    "gunicorn": run_gunicorn,
    "uvicorn": run_uvicorn,
    "granian": run_granian,
}


def version_of(distribution: str) -> tuple[int, ...]:
    """The leading numbers of an installed distribution's version: "27.0.1" is (27, 0, 1); () where it is not there."""
    numbers = []
    try:
        version = metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ()
    for part in version.split("."):
        if not part.isdigit():
            break
        numbers.append(int(part))
    return tuple(numbers)


def main() -> None:
    """Become the server; ends with 1 and one clear line where the image has none."""
    name = os.environ.get("NUAGES_SERVER") or "gunicorn"
    if name not in SERVERS:
        sys.exit(f"nuages: {name} is no server of {', '.join(SERVERS)}")
    if not version_of(name):
        sys.exit(f"nuages: {name} is not installed in this image")
    numbers = Numbers(os.environ)
    metrics.prepare(numbers.workers)
    SERVERS[name](numbers)


if __name__ == "__main__":
    main()
