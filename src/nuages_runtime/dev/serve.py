"""`python -m nuages_runtime.dev.serve`: the server's process. Its terminal is the one it was given, for a debugger.

WSGI is served by Django's own threads, ASGI by the server that the image has.
"""

# Django is the image's.
# ruff: noqa: PLC0415
# mypy: disable-error-code="import-untyped,import-not-found"

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
import termios

from nuages_runtime import serve

FOR_EVER = 10**7
"""Seconds that a request may take: somebody may be looking at it in a debugger."""


def main() -> None:
    """Serve until the end."""
    with contextlib.suppress(OSError):
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    sys.path.insert(0, os.getcwd())  # noqa: PTH109
    numbers = serve.Numbers(os.environ)
    if numbers.interface == "wsgi":
        wsgi(numbers.port)
        return
    numbers.host, numbers.workers, numbers.timeout, numbers.graceful = "127.0.0.1", 1, FOR_EVER, 1
    numbers.application = "nuages_runtime.dev.asgi:application"
    name = os.environ.get("NUAGES_SERVER") or "uvicorn"
    if not serve.version_of(name):
        sys.exit(f"nuages: {name} is not installed in this image")
    serve.SERVERS[name](numbers)


def wsgi(port: int) -> None:
    """Django's ThreadedWSGIServer: what `runserver` has, without what that does around it."""
    from nuages_runtime.dev.wsgi import application

    made = application()
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler

    class Handler(WSGIRequestHandler):  # type: ignore[misc]
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
            """Each request has its line already."""

    server = ThreadedWSGIServer(("127.0.0.1", port), Handler)
    server.set_app(made)
    server.serve_forever()


if __name__ == "__main__":
    main()
