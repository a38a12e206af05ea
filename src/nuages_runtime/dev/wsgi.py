"""The WSGI application while the project is developed: mail that was caught, static files, the project."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

from nuages_runtime import hook, probes
from nuages_runtime.dev import inside, letters
from nuages_runtime.observe import Observer
from nuages_runtime.wsgi import observed


def application() -> Any:
    """Load the project, and put before it what Django's own development server has, and a little more."""
    hook.start()
    inside.begin()
    project = probes.load(os.environ["NUAGES_WSGI"])
    from nuages_runtime.dev.statics import wsgi as with_files  # noqa: PLC0415 - the project's import comes first

    made = with_files(project)
    inside.loaded()

    def answered(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
        if (page := letters.page(environ.get("PATH_INFO", ""), environ.get("HTTP_HOST", ""))) is None:
            return made(environ, start_response)  # type: ignore[no-any-return]
        status, headers, body = page
        start_response(status, headers)
        return [body]

    return observed(answered, Observer(None, text=True), https=False)
