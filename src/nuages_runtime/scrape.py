"""The port that Prometheus asks. Every process of the pod listens on it, and each can answer for all: the kernel gives
a scrape to one of them.

Who answers leaves out the gauges of processes that have ended, so no server needs a hook for that (gunicorn has one,
others have none, and a process that was killed would call none).
"""

# mypy: disable-error-code="import-untyped,import-not-found"

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from socket import SO_REUSEPORT, SOL_SOCKET
from socketserver import TCPServer, ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from nuages_runtime.metrics import MULTIPROCESS, ended


def listen(port: int) -> None:
    """Answer on that port, in a thread that ends with the process. A port that is taken costs the metrics only."""
    try:
        server = _Server(("0.0.0.0", port), _Silent)  # noqa: S104 - the cluster's network asks
    except OSError as error:
        print(f"nuages: no metrics on port {port}: {error}", flush=True)  # noqa: T201 - the log of a container
        return
    server.set_app(answer)
    threading.Thread(target=server.serve_forever, name="nuages-metrics", daemon=True).start()


def answer(environ: dict[str, Any], start_response: Any) -> Any:
    """The page with all metrics of this pod, whatever the path."""
    from prometheus_client import REGISTRY, CollectorRegistry, make_wsgi_app, multiprocess  # noqa: PLC0415

    registry = REGISTRY
    if folder := os.environ.get(MULTIPROCESS):
        forget_ended(Path(folder), ended)
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)
    return make_wsgi_app(registry)(environ, start_response)


def forget_ended(folder: Path, ended: Callable[[str], bool]) -> None:
    """Remove the live gauges of processes that are no more; counters stay, what was counted was counted."""
    for file in folder.glob("gauge_live*_*.db"):
        if ended(file.stem.rpartition("_")[2]):
            file.unlink(missing_ok=True)


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def server_bind(self) -> None:
        """As HTTPServer does it, without asking the name server who we are."""
        self.socket.setsockopt(SOL_SOCKET, SO_REUSEPORT, 1)
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "metrics", self.server_address[1]
        self.setup_environ()


class _Silent(WSGIRequestHandler):
    timeout = 10  # one who connects and asks nothing keeps no thread

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
        """A scrape every few seconds is no news."""
