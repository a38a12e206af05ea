"""Prometheus metrics on a port of their own, NUAGES_METRICS_PORT; nothing where prometheus_client is not installed.

    nuages_http_requests_total{method, status, view}
    nuages_http_request_duration_seconds{method, view}
    nuages_http_requests_in_flight

A view is its name in the project's urls, never a path: so there are as many as there are urls. The project's own
metrics are on the same page.

Several processes keep their numbers in files below PROMETHEUS_MULTIPROC_DIR; scrape.py answers for all of them.
"""

# mypy: disable-error-code="import-untyped,import-not-found"

from __future__ import annotations

import logging
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

from nuages_runtime.drain import memory
from nuages_runtime.slots import Slots

log = logging.getLogger("nuages")

MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"
# All others are "other": methods are the client's to invent.
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "WEBSOCKET"))
# From a page out of the cache to the longest requestTimeout that is usual.
BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

_slots: Slots | None = None


class Metrics:
    """The three metrics of this process, and the port that tells them."""

    def __init__(self, port: int) -> None:
        """Register them where the project's own are."""
        import prometheus_client as prometheus  # noqa: PLC0415 - the image's

        self._port = port
        self._listening_in = 0
        self._requests = prometheus.Counter(
            "nuages_http_requests_total", "Requests answered.", ["method", "status", "view"]
        )
        self._seconds = prometheus.Histogram(
            "nuages_http_request_duration_seconds", "Time to answer.", ["method", "view"], buckets=BUCKETS
        )
        self._in_flight = prometheus.Gauge(
            "nuages_http_requests_in_flight", "Requests being answered.", multiprocess_mode="livesum"
        )
        self._known: dict[tuple[str, int, str], tuple[Any, Any]] = {}

    def open(self) -> None:
        """Open the port, once in a process. Not when we are loaded, for a server may fork after that: the first request
        does it, or the first probe, where nobody asks for a page.
        """
        if self._listening_in != os.getpid():
            self._listening_in = os.getpid()
            from nuages_runtime.scrape import listen  # noqa: PLC0415 - http.server is slow to import

            listen(self._port)

    def begin(self) -> None:
        """A request has come."""
        self.open()
        self._in_flight.inc()

    def end(self, method: str, status: int, view: str, seconds: float) -> None:
        """It is answered."""
        key = (method if method in METHODS else "other", status, view)
        children = self._known.get(key)
        if children is None:
            method = key[0]
            children = self._known[key] = (
                self._requests.labels(method, str(status), view or "none"),
                self._seconds.labels(method, view or "none"),
            )
        children[0].inc()
        children[1].observe(seconds)
        self._in_flight.dec()


def load() -> Metrics | None:
    """Metrics, where they are asked for and can be had."""
    port = os.environ.get("NUAGES_METRICS_PORT", "")
    if not port.isdigit():
        return None
    try:
        return Metrics(int(port))
    except ImportError:
        return None
    except (OSError, ValueError) as error:  # a folder that cannot be written, names that the project has taken
        log.warning("no metrics: %s", error)
        return None


def prepare(processes: int) -> None:
    """Before the server starts: several processes get an empty folder in memory. One needs none; a folder that the
    project has set itself stays what it is.
    """
    # When each series began doubles their number and helps no query.
    os.environ.setdefault("PROMETHEUS_DISABLE_CREATED_SERIES", "true")
    if own := os.environ.get(MULTIPROCESS):
        with suppress(OSError):  # made by the project's entry point elsewhere; a pod's folders begin empty
            Path(own).mkdir(parents=True, exist_ok=True)
        return
    if processes < 2 or not os.environ.get("NUAGES_METRICS_PORT"):
        return
    folder = _folder()
    shutil.rmtree(folder, ignore_errors=True)  # of an earlier container of this pod
    folder.mkdir(mode=0o700)
    os.environ[MULTIPROCESS] = str(folder)


def share() -> None:
    """In each of several processes, before the project is loaded and makes metrics of its own: their files are those of
    a slot, and not of a process id that never comes again. Nothing in a folder of the project's.
    """
    global _slots  # noqa: PLW0603 - one process, one slot
    if os.environ.get(MULTIPROCESS) != str(_folder()):
        return
    try:
        from prometheus_client import values  # noqa: PLC0415 - the image's

        _slots = Slots(_folder())
    except (ImportError, OSError):
        return
    values.ValueClass = values.MultiProcessValue(_slots.mine)


def ended(name: str) -> bool:
    """Whether the process is no more whose files are called so."""
    return _slots.ended(name) if _slots else not Path("/proc", name).exists()


def _folder() -> Path:
    return memory() / f"nuages-metrics-{os.getuid()}"
