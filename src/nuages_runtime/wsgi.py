"""The WSGI application that the server loads: the project's own, with in front of it

probes      answered before anything of the project's
observed    request id, access log, metrics (observe.py)
fronted     names that lead to another, https, requests that are too large (front.py)
files       static files and uploads, where the project serves none (static.py)
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any, cast

from nuages_runtime import drain, front, probes
from nuages_runtime.assembly import assembled
from nuages_runtime.front import Front
from nuages_runtime.observe import Observer, Request

Environ = dict[str, Any]
StartResponse = Callable[..., object]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

log = logging.getLogger("nuages")


def with_probes(
    project: Application,
    startup: Callable[[], dict[str, object]],
    release: str,
    asked: Callable[[], None] = probes.nothing,
) -> Application:
    """Put the probes in front of an application; `startup` answers what is missing, nothing when all is there; `asked`
    is called at each.
    """

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path not in probes.PATHS:
            return project(environ, start_response)
        asked()
        status, headers, body = probes.answer(path, startup, release)
        start_response(status, headers)
        return [body]

    return application


def fronted(project: Application, ways: Front) -> Application:
    """Answer what the project is not to be asked. Of a body without a length Django reads nothing at all."""
    if ways.idle:
        return project

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = front.quoted(environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", ""), "latin-1")
        location = ways.elsewhere(
            environ.get("HTTP_HOST", ""),
            environ.get("HTTP_X_FORWARDED_PROTO", ""),
            path,
            environ.get("QUERY_STRING", ""),
        )
        if location:
            status, headers, body = front.sent_on(location, environ["REQUEST_METHOD"])
        elif ways.size is not None and ways.refuses(environ.get("CONTENT_LENGTH") or ""):
            status, headers, body = front.too_large(ways.size)
        else:
            return project(environ, start_response)
        start_response(status, headers)
        return [body]

    return application


def observed(project: Application, observer: Observer, *, https: bool) -> Application:
    """Give each request its id, and say how it went; `https` where a proxy of ours says so in X-Forwarded-Proto.

    A whole page is handed to the server as one piece of bytes, after its close(): what Django does at the end of a
    request (connections back to the pool) does not wait for the client. Everything else streams, and ends with close().
    """

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(
            observer,
            environ["REQUEST_METHOD"],
            _text(environ.get("PATH_INFO", "")),
            environ.get("HTTP_X_REQUEST_ID", ""),
            environ.get("HTTP_X_FORWARDED_FOR") or environ.get("REMOTE_ADDR", ""),
            environ.get("HTTP_USER_AGENT", ""),
        )
        environ["HTTP_X_REQUEST_ID"] = request.id
        environ["nuages.request"] = request
        if https and environ.get("HTTP_X_FORWARDED_PROTO") == "https":
            environ["wsgi.url_scheme"] = "https"

        def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> object:
            request.status = int(status[:3])
            headers = [header for header in headers if header[0].lower() != "x-request-id"]
            headers.append(("X-Request-ID", request.id))
            if drain.draining():
                headers.append(("Connection", "close"))
            return start_response(status, headers, *exc_info)

        try:
            answer = project(environ, start)
            if getattr(answer, "streaming", True) and not isinstance(answer, list):
                return _streamed(answer, request, environ.get("wsgi.file_wrapper"))
            body = b"".join(answer)
            _close(answer)
        except BaseException:
            request.end()
            raise
        request.end()
        return [body]

    return application


class _Streamed:
    """An answer that comes in pieces."""

    def __init__(self, answer: Iterable[bytes], close: Callable[[], None]) -> None:
        self._answer, self.close = answer, close

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._answer)


def _streamed(answer: Any, request: Request, file_wrapper: object) -> Iterable[bytes]:
    """The same answer with a close() that ends the request; always with one, for granian calls it unasked.

    A file that the server may send by itself (sendfile) must stay of the server's own type.
    """
    own = getattr(answer, "close", None)

    def close() -> None:
        try:
            if own:
                own()
        finally:
            request.end()

    if not isinstance(file_wrapper, type) or not isinstance(answer, file_wrapper):
        return _Streamed(answer, close)
    vars(answer)["close"] = close
    return cast("Iterable[bytes]", answer)


def _close(answer: Any) -> None:
    """What is connected to the end of a request may fail; the page was made all the same."""
    try:
        if close := getattr(answer, "close", None):
            close()
    except Exception:
        log.exception("the end of a request failed")


def _text(path: str) -> str:
    """WSGI has the bytes of a path as Latin-1."""
    return path if path.isascii() else path.encode("latin-1").decode(errors="replace")


def _files(project: Application) -> Application:
    from nuages_runtime import static  # noqa: PLC0415 - the project's import comes first

    return fronted(cast("Application", static.wsgi(project)), front.of())


def _application() -> Application:
    return cast("Application", assembled("NUAGES_WSGI", _files, observed, with_probes))


def __getattr__(name: str) -> Application:
    """Load the project when the server asks for `application`, so that tests can import this module without one."""
    if name != "application":
        raise AttributeError(name)
    globals()[name] = loaded = probes.told(_application)
    return loaded
