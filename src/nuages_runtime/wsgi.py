"""The WSGI application that the server loads: the project's own, with the kubelet's probes answered in front of it.

    /-/live      this process answers; touches nothing
    /-/ready     the project is loaded (this module would not be here otherwise), in which release
    /-/startup   the migrations that this image expects are applied; 503 with the missing ones before

In front, because the kubelet's Host header is no host of the project's (ALLOWED_HOSTS), speaks no TLS
(SECURE_SSL_REDIRECT) and has no session. Liveness and readiness never ask the database: an outage there must not
restart or unlist every pod at once.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
from collections.abc import Callable, Iterable
from typing import Any

from nuages_runtime.startup import Startup

Environ = dict[str, Any]
StartResponse = Callable[..., object]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

PROBES = ("/-/live", "/-/ready", "/-/startup")


def load(name: str) -> Application:
    """The project's application from `module:attribute`; what its import raises goes on up and ends the server."""
    module, _, attribute = name.partition(":")
    loaded: Application = getattr(importlib.import_module(module), attribute or "application")
    return loaded


def with_probes(project: Application, startup: Callable[[], dict[str, object]], release: str) -> Application:
    """Put the probes in front of an application; `startup` answers what is missing, nothing when all is there."""

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path not in PROBES:
            return project(environ, start_response)
        missing = startup() if path == "/-/startup" else {}
        body = json.dumps(missing or {"release": release}).encode()
        headers = [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
        ]
        start_response("503 Service Unavailable" if missing else "200 OK", headers)
        return [body]

    return application


def is_no_probe(record: logging.LogRecord) -> bool:
    """Whether a line of gunicorn's access log is about something else than a probe; it keeps the path in the argument
    U.
    """
    arguments = record.args
    return not (isinstance(arguments, dict) and arguments.get("U") in PROBES)


def _application() -> Application:
    logging.getLogger("gunicorn.access").addFilter(is_no_probe)
    project = load(os.environ["NUAGES_WSGI"])
    return with_probes(project, Startup(), os.environ.get("NUAGES_RELEASE", ""))


def __getattr__(name: str) -> Application:
    """Load the project when the server asks for `application`, so that tests can import this module without one."""
    if name != "application":
        raise AttributeError(name)
    globals()[name] = loaded = _application()
    return loaded
