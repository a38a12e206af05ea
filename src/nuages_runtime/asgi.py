"""As wsgi.py, for ASGI: probes, request ids, access log and metrics in front of HTTP; websockets get an id; the rest is
the project's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, cast

from nuages_runtime import drain, front, probes, sockets
from nuages_runtime.assembly import assembled
from nuages_runtime.front import Front
from nuages_runtime.observe import Observer, Request

# The client went away before there was an answer: nginx's number for it.
GONE = 499

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


def with_probes(
    project: Application,
    startup: Callable[[], dict[str, object]],
    release: str,
    asked: Callable[[], None] = probes.nothing,
) -> Application:
    """Answer the probes; the one that asks the database does it in a thread, the others need none: a project may keep
    all of them busy.
    """

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await lifespan(project, scope, receive, send)
        elif scope["type"] != "http" or scope["path"] not in probes.PATHS:
            await project(scope, receive, send)
        else:
            asked()
            question = (scope["path"], startup, release)
            if scope["path"] == probes.STARTUP:
                status, headers, body = await asyncio.to_thread(probes.answer, *question)
            else:
                status, headers, body = probes.answer(*question)
            pairs = [(name.lower().encode(), value.encode()) for name, value in headers]
            await send({"type": "http.response.start", "status": int(status[:3]), "headers": pairs})
            await send({"type": "http.response.body", "body": body})

    return application


async def lifespan(project: Application, scope: Scope, receive: Receive, send: Send) -> None:
    """The server's start and end, for a project that knows of them; Django's own application raises, and needs none.

    uvicorn and gunicorn's own worker have their handler of SIGTERM by now, and call this in the main thread.
    """
    if not drain.before_sigterm():
        drain.before_sigterm_of(asyncio.get_running_loop())
    heard = False

    async def hear() -> Message:
        nonlocal heard
        heard = True
        return await receive()

    try:
        await project(scope, hear, send)
    except Exception:
        if heard:
            raise
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return


def fronted(project: Application, ways: Front) -> Application:
    """Answer what the project is not to be asked; a body without a length is counted as it comes."""
    if ways.idle:
        return project

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await project(scope, receive, send)
            return
        given = {name: value.decode("latin-1") for name, value in scope["headers"]}
        raw = scope.get("raw_path")
        path = raw.decode("latin-1") if raw else front.quoted(scope["path"], "utf-8")
        query = scope.get("query_string", b"").decode("latin-1")
        location = ways.elsewhere(given.get(b"host", ""), given.get(b"x-forwarded-proto", ""), path, query)
        if location:
            status, headers, body = front.sent_on(location, scope["method"])
        elif ways.size is not None and ways.refuses(given.get(b"content-length", "")):
            status, headers, body = front.too_large(ways.size)
        else:
            counted = ways.size is not None and b"content-length" not in given
            await project(scope, _counted(receive, ways.size or 0) if counted else receive, send)
            return
        pairs = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
        await send({"type": "http.response.start", "status": int(status[:3]), "headers": pairs})
        await send({"type": "http.response.body", "body": body})

    return application


def _counted(receive: Receive, size: int) -> Receive:
    """The same messages until there are more bytes of a body than may be: then the client is as good as gone."""
    left = size

    async def heard() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        return message if left >= 0 else {"type": "http.disconnect"}

    return heard


def observed(project: Application, observer: Observer, *, https: bool) -> Application:
    """Give each request its id, and say how it went; a websocket is one request that lasts."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await project(scope, receive, send)
            return
        headers = dict(scope["headers"])
        peer = (scope.get("client") or ("",))[0]
        request = Request(
            observer,
            scope.get("method", "WEBSOCKET"),
            scope["path"],
            headers.get(b"x-request-id", b"").decode("latin-1"),
            headers.get(b"x-forwarded-for", b"").decode("latin-1") or peer,
            headers.get(b"user-agent", b"").decode("latin-1"),
        )
        # Django reads "_" in a name as "-": x_forwarded_proto would pass by the proxy that overwrites the other.
        given = [header for header in scope["headers"] if header[0] != b"x-request-id" and b"_" not in header[0]]
        scope = {
            **scope,
            "headers": [*given, (b"x-request-id", request.id.encode())],
            "nuages.request": request,
        }
        if https and headers.get(b"x-forwarded-proto") == b"https":
            scope["scheme"] = "wss" if scope["type"] == "websocket" else "https"
        gone = False
        try:
            await project(scope, receive, _telling(send, request))
            gone = not request.answered
        except asyncio.CancelledError:
            gone = not request.answered
            raise
        finally:
            if gone:
                request.status = GONE
            request.end()

    return application


def _telling(send: Send, request: Request) -> Send:
    async def told(message: Message) -> None:
        kind = message["type"]
        if kind in {"http.response.start", "websocket.http.response.start"}:
            request.answered, request.status = True, message["status"]
            headers = [header for header in message.get("headers", ()) if header[0].lower() != b"x-request-id"]
            headers.append((b"x-request-id", request.id.encode()))
            if drain.draining():
                headers.append((b"connection", b"close"))
            message = {**message, "headers": headers}
        elif kind in {"websocket.accept", "websocket.close"} and not request.answered:
            request.answered, request.status = True, 101 if kind == "websocket.accept" else 403
        await send(message)

    return told


def _files(project: Application) -> Application:
    from nuages_runtime import static  # noqa: PLC0415 - the project's import comes first

    return fronted(sockets.closing(static.asgi(project)), front.of())


def _application() -> Application:
    return cast("Application", assembled("NUAGES_ASGI", _files, observed, with_probes))


def __getattr__(name: str) -> Application:
    """Load the project when the server asks for `application`."""
    if name != "application":
        raise AttributeError(name)
    globals()[name] = loaded = probes.told(_application)
    return loaded
