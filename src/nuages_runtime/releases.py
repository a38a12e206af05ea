"""What pages of this release, and of others, ask of a pod beside the plain addresses of its own static files.

/static/0123456789abcdef/app.css   the tree of this image: /static/app.css, for ever (NUAGES_STATIC_TREE)
/static/app.0123456789ab.css       not in this image, or below another tree: asked for (bridge.py, NUAGES_STATIC)
"""

# Django is the image's, and the settings are read when the project is loaded.
# ruff: noqa: PLC0415
# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from nuages_runtime.bridge import Answer, Bridge

FOREVER = "max-age=315360000, public, immutable"
"""Ten years, as WhiteNoise has it."""

_FOUND = {200, 206, 304}


class Releases:
    """`prefix` is where plain addresses begin; `tree` the hash below which all files of this image are, or ""."""

    def __init__(self, prefix: str, tree: str, bridge: Bridge) -> None:
        """See the class."""
        self._prefix, self._below = prefix, f"{prefix}{tree}/" if tree else ""
        self._bridge = bridge

    @classmethod
    def of_environment(cls) -> Releases | None:
        """As the environment and the settings say; None where each pod has its own files only.

        Those of a storage that is no folder, or of another host, are not in any image.
        """
        origin, tree = os.environ.get("NUAGES_STATIC", ""), os.environ.get("NUAGES_STATIC_TREE", "")
        if not origin:
            return None
        from django.apps import apps
        from django.conf import settings

        address = urlsplit(settings.STATIC_URL or "")
        if not apps.is_installed("django.contrib.staticfiles") or address.netloc or not address.path.strip("/"):
            return None
        from django.contrib.staticfiles.storage import staticfiles_storage
        from django.core.files.storage import FileSystemStorage

        if not isinstance(staticfiles_storage, FileSystemStorage):
            return None
        prefix = plain_prefix(address.path)
        tree = tree if prefix != address.path else ""
        return cls(prefix, tree, Bridge(origin, prefix, Path(staticfiles_storage.location), tree))

    def plain(self, path: str) -> str | None:
        """The plain address of one below this image's tree; None of any other."""
        if not self._below or not path.startswith(self._below):
            return None
        return self._prefix + path[len(self._below) :]

    def wants(self, method: str, path: str) -> bool:
        """Whether it is another release's to answer."""
        return self._bridge.wants(method, path)

    def ask(self, method: str, path: str, headers: dict[str, str]) -> Answer | None:
        """What another release answers, to a request with these headers (lower-case names); None: nothing."""
        return self._bridge.ask(method, path, headers)


def plain_prefix(path: str) -> str:
    """The path of STATIC_URL without the tree's hash, which the overlay has put at its end."""
    tree = os.environ.get("NUAGES_STATIC_TREE", "")
    return path.removesuffix(f"{tree}/") if tree and path.endswith(f"/{tree}/") else path


def lasting_wsgi(start_response: Callable[..., object]) -> Callable[..., object]:
    """A start_response for what is below a tree's address: it never changes, whatever its own name says."""

    def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> object:
        if int(status[:3]) in _FOUND:
            headers = [header for header in headers if header[0].lower() != "cache-control"]
            headers.append(("Cache-Control", FOREVER))
        return start_response(status, headers, *exc_info)

    return start


def lasting_asgi(send: Any) -> Any:
    """As `lasting_wsgi`, for ASGI."""

    async def sent(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start" and message["status"] in _FOUND:
            headers = [header for header in message.get("headers", ()) if header[0].lower() != b"cache-control"]
            message = {**message, "headers": [*headers, (b"cache-control", FOREVER.encode())]}
        await send(message)

    return sent
