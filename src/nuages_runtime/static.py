"""Static files, and uploads, in front of a project that serves none itself.

    STATIC_URL from STATIC_ROOT   where no WhiteNoise of the project's does it, and the storage is a folder
    MEDIA_URL  from MEDIA_ROOT    where no url of the project's answers there, and the storage is a folder

Django serves uploads with DEBUG only, and leaves the rest to "a server in front"; there is none here but this one. The
files are WhiteNoise's to answer (compressed neighbours, ranges, 304); without WhiteNoise in the image none are served.
The part `static` of NUAGES_OVERLAY switches both.

Whoever serves the static files, pages of other releases may ask this pod for those of theirs (releases.py).
"""

# Django and WhiteNoise are the image's, and the settings are read when the project is loaded.
# ruff: noqa: PLC0415
# mypy: disable-error-code="import-untyped,import-not-found"

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from nuages_runtime.releases import Releases, lasting_asgi, lasting_wsgi, plain_prefix
from nuages_runtime.statics import IMMUTABLE
from nuages_runtime.uploads import Uploads

log = logging.getLogger("nuages")

Find = Callable[[str], Any]
"""A path of a request -> WhiteNoise's file, or None."""


class Files:
    """Where to look for a file, in order."""

    def __init__(self, finders: Iterable[tuple[str, Find]]) -> None:
        """Pairs of what the metrics call it and how to find a file."""
        self._finders = tuple(finders)

    def __bool__(self) -> bool:
        """Whether there is anything to look for."""
        return bool(self._finders)

    def find(self, method: str, path: str) -> tuple[str, Any] | None:
        """What answers a request, and how the metrics call it; None where that is the project's."""
        if method in {"GET", "HEAD"}:
            for name, find in self._finders:
                if (file := find(path)) is not None:
                    return name, file
        return None


def of_project(project: object) -> Files:
    """What is to be served for the project; what speaks against it is said once, in the log."""
    if "static" not in os.environ.get("NUAGES_OVERLAY", "").split(","):
        return Files([])
    try:
        import whitenoise.base
    except ImportError:
        return Files([])
    finders: list[tuple[str, Find]] = []
    if not isinstance(project, whitenoise.base.WhiteNoise) and (found := collected()):
        finders.append(("static", found))
    if uploads := Uploads.of_settings():
        finders.append(("media", uploads.find))
    return Files(finders)


def collected() -> Find | None:
    """Finds static files that were collected into the image; None where the project or another host serves them."""
    from django.apps import apps
    from django.conf import settings
    from whitenoise import WhiteNoise

    if not apps.is_installed("django.contrib.staticfiles") or any("whitenoise" in name for name in settings.MIDDLEWARE):
        return None
    from django.contrib.staticfiles.storage import staticfiles_storage
    from django.core.files.storage import FileSystemStorage

    # A full URL is that of a CDN in front of us; one without a leading slash gets it by Django.
    prefix = plain_prefix(urlsplit(settings.STATIC_URL or "").path)
    if not isinstance(staticfiles_storage, FileSystemStorage) or not prefix.strip("/"):
        return None
    root = Path(staticfiles_storage.location)
    if not root.is_dir():
        log.warning("no static files are served: %s is no folder", root)
        return None
    served = WhiteNoise(None, root, prefix, immutable_file_test=IMMUTABLE, add_headers_function=_etag)
    found: Find = served.files.get
    return found


def _etag(headers: Any, path: str, _url: str) -> None:
    """By content, unless the name says it: the files of an image have no time of their own."""
    if "immutable" in headers.get("Cache-Control", ""):
        return
    digest = hashlib.blake2b(digest_size=12)
    with Path(path).open("rb") as file:  # piece by piece: a film is larger than a pod's memory
        while piece := file.read(1 << 20):
            digest.update(piece)
    headers["ETag"] = f'"{digest.hexdigest()}"'


def wsgi(project: Any) -> Any:
    """The application with the files in front; itself where there are none."""
    files, others = of_project(project), Releases.of_environment()
    if not files and others is None:
        return project
    from wsgiref.util import FileWrapper

    def application(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        path = environ.get("PATH_INFO", "").encode("latin-1").decode(errors="replace")
        if others is None:
            start = start_response
        elif (plain := others.plain(path)) is not None:
            path = plain
            environ["PATH_INFO"] = plain.encode().decode("latin-1")
            start = lasting_wsgi(start_response)
        elif others.wants(method, path) and (given := others.ask(method, path, _asked(environ))):
            environ["nuages.request"].view = "static"
            start_response(f"{given.status} {HTTPStatus(given.status).phrase}", given.headers)
            return given.body
        else:
            start = start_response
        found = files.find(method, path)
        if found is None:
            return project(environ, start)  # type: ignore[no-any-return]
        environ["nuages.request"].view, file = found
        answer = file.get_response(method, environ)
        start(f"{answer.status.value} {answer.status.phrase}", list(answer.headers))
        return environ.get("wsgi.file_wrapper", FileWrapper)(answer.file) if answer.file else []

    return application


def asgi(project: Any) -> Any:
    """As `wsgi`, for ASGI; reading happens in a thread."""
    files, others = of_project(project), Releases.of_environment()
    if not files and others is None:
        return project
    from asyncio import to_thread

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        found = None
        if scope["type"] == "http" and _wanted(scope["path"]):
            path, method = scope["path"], scope["method"]
            if others is not None and (plain := others.plain(path)) is not None:
                path, send = plain, lasting_asgi(send)
                scope = {**scope, "path": path, "raw_path": quote(path).encode()}
            elif others is not None and others.wants(method, path):  # one look at a name: no thread is worth that
                headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
                if given := await to_thread(others.ask, method, path, headers):
                    scope["nuages.request"].view = "static"
                    await _send(send, given.status, given.headers, partial(to_thread, next, iter(given.body), b""))
                    return
            found = await to_thread(files.find, method, path)
        if found is None:
            await project(scope, receive, send)
            return
        scope["nuages.request"].view, file = found
        asked = {
            f"HTTP_{name.decode('latin-1').upper().replace('-', '_')}": value.decode("latin-1")
            for name, value in scope["headers"]
        }
        answer = await to_thread(file.get_response, scope["method"], asked)
        with answer.file or nullcontext():
            read = partial(to_thread, answer.file.read, 64 * 1024) if answer.file else None
            await _send(send, answer.status.value, answer.headers, read)

    # Only paths below one of the two are looked for in a thread.
    _wanted = re.compile("|".join(re.escape(prefix) for prefix in prefixes())).match
    return application


async def _send(send: Any, status: int, headers: Iterable[tuple[str, Any]], read: Any) -> None:
    """A whole answer; `read` gives the next piece of its body, empty at the end."""
    pairs = [(name.lower().encode(), str(value).encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    while read and (piece := await read()):
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _asked(environ: dict[str, Any]) -> dict[str, str]:
    """The headers of a request, as the bridge wants them."""
    return {name[5:].lower().replace("_", "-"): value for name, value in environ.items() if name.startswith("HTTP_")}


def prefixes() -> list[str]:
    """The paths below which there may be files, of this image or of others."""
    from django.conf import settings

    found = (plain_prefix(urlsplit(str(url or "")).path) for url in (settings.STATIC_URL, settings.MEDIA_URL))
    return [prefix for prefix in found if prefix.strip("/")]
