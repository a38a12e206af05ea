"""The kubelet's three questions, answered before anything of the project's.

    /-/live      this process answers; touches nothing
    /-/ready     the project is loaded (the server would not listen otherwise), in which release
    /-/startup   the migrations that this image expects are applied; 503 with the missing ones before

Before, because the kubelet's Host header is no host of the project's (ALLOWED_HOSTS), speaks no TLS
(SECURE_SSL_REDIRECT) and has no session. Liveness and readiness never ask the database: an outage there must not
restart or unlist every pod at once.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from typing import Any, TypeVar

from nuages_runtime import withheld

Loaded = TypeVar("Loaded")

STARTUP = "/-/startup"
PATHS = frozenset(("/-/live", "/-/ready", STARTUP))


def answer(
    path: str, startup: Callable[[], dict[str, object]], release: str
) -> tuple[str, list[tuple[str, str]], bytes]:
    """Status, headers and body; `startup` says what is missing, {} when all is there."""
    missing = startup() if path == STARTUP else {}
    body = json.dumps(missing or {"release": release}).encode()
    headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
    ]
    return "503 Service Unavailable" if missing else "200 OK", headers, body


def nothing() -> None:
    """What is done at a probe where nothing is."""


def told(make: Callable[[], Loaded]) -> Loaded:
    """What `make` makes. Its AttributeError is raised as another error: servers take that one for a module without an
    application, say so, and keep the project's traceback to themselves.
    """
    try:
        with withheld.watched():
            return make()
    except AttributeError as error:
        raise RuntimeError(f"{type(error).__name__}: {error}") from error


def load(name: str) -> Any:
    """The project's application from `module:attribute`; what its import raises goes on up and ends the server."""
    module, _, attribute = name.partition(":")
    loaded: Any = importlib.import_module(module)
    for part in (attribute or "application").split("."):
        loaded = getattr(loaded, part)
    return loaded
