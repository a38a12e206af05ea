"""As wsgi.py, for ASGI; the server's process loads it by its name."""

from __future__ import annotations

import os
from typing import Any

from nuages_runtime import hook, probes
from nuages_runtime.asgi import Application, Receive, Scope, Send, lifespan, observed
from nuages_runtime.dev import inside, letters
from nuages_runtime.observe import Observer


def _application() -> Application:
    hook.start()
    inside.begin()
    project = probes.load(os.environ["NUAGES_ASGI"])
    from nuages_runtime.dev.statics import asgi as with_files  # noqa: PLC0415 - the project's import comes first

    made = with_files(project)
    inside.loaded()
    logged = observed(made, Observer(None, text=True), https=False)

    async def answered(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await lifespan(project, scope, receive, send)
        elif scope["type"] == "http" and (page := letters.page(scope["path"], _host(scope))) is not None:
            status, headers, body = page
            pairs = [(name.lower().encode(), value.encode()) for name, value in headers]
            await send({"type": "http.response.start", "status": int(status[:3]), "headers": pairs})
            await send({"type": "http.response.body", "body": body})
        else:
            await logged(scope, receive, send)

    return answered


def _host(scope: Scope) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")


def __getattr__(name: str) -> Any:
    """Load the project when the server asks for `application`."""
    if name != "application":
        raise AttributeError(name)
    globals()[name] = made = probes.told(_application)
    return made
