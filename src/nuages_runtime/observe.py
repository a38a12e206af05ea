"""What is known of each request, the same for WSGI and ASGI: its id, a line in the access log, its metrics.

The id comes from X-Request-ID where a proxy gave one, goes on to the project in the same header and back to the
client. Query strings are in no log: they carry tokens.
"""

from __future__ import annotations

import json
import os
import re
import time
from typing import TYPE_CHECKING

from nuages_runtime.logs import kind, request_id, timestamp, to_stdout

if TYPE_CHECKING:
    from nuages_runtime.metrics import Metrics

_ID = re.compile(r"[\w.:+/=-]{1,128}", re.ASCII)


class Observer:
    """Makes a Request of every request; `metrics` is None where nobody counts."""

    def __init__(self, metrics: Metrics | None, *, text: bool) -> None:
        """Write lines for people where `text`, JSON otherwise."""
        self.metrics = metrics
        self.line = _text if text else _json

    @classmethod
    def of_this_process(cls) -> Observer:
        """As the environment asks for."""
        from nuages_runtime.metrics import load  # noqa: PLC0415 - not before the project had its say

        return cls(load(), text=kind() == "text")

    def listen(self) -> None:
        """Let the metrics be asked for, also where no request ever comes."""
        if self.metrics:
            self.metrics.open()


class Request:
    """One request from its first line to its last byte."""

    __slots__ = (
        *("_began", "_observer", "_open"),
        *("answered", "client", "id", "method", "path", "status", "user_agent", "view"),
    )

    def __init__(  # noqa: PLR0917 - once a request: names would cost
        self, observer: Observer, method: str, path: str, given_id: str, client: str, user_agent: str
    ) -> None:
        """Begin; `given_id` is what a proxy sent."""
        self._observer = observer
        self.id = given_id if _ID.fullmatch(given_id) else os.urandom(16).hex()
        self.method, self.path, self.client, self.user_agent = method, path, client, user_agent
        self.status, self.view = 500, ""
        self.answered = False
        self._open = True
        request_id.set(self.id)
        if observer.metrics:
            observer.metrics.begin()
        self._began = time.perf_counter()

    def end(self) -> None:
        """The answer is out, or nothing more will come; said twice, the second time is not heard."""
        if not self._open:
            return
        self._open = False
        seconds = time.perf_counter() - self._began
        if self._observer.metrics:
            self._observer.metrics.end(self.method, self.status, self.view, seconds)
        to_stdout(self._observer.line(self, seconds))
        request_id.set("")


def _json(request: Request, seconds: float) -> str:
    return json.dumps(
        {
            "time": timestamp(time.time()),
            "level": "INFO",
            "logger": "nuages.access",
            "message": f"{request.method} {request.path} {request.status}",
            "request_id": request.id,
            "method": request.method,
            "path": request.path,
            "status": request.status,
            "duration_ms": round(seconds * 1000, 2),
            "client": request.client,
            "user_agent": request.user_agent,
        },
        ensure_ascii=False,
    )


def _text(request: Request, seconds: float) -> str:
    # A line stays one line, and moves no terminal's cursor.
    method, path, client = (
        said.encode("unicode_escape").decode() for said in (request.method, request.path, request.client)
    )
    return f"{timestamp(time.time())} {method} {path} {request.status} {seconds * 1000:.1f} ms {client} [{request.id}]"
