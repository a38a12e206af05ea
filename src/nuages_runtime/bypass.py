"""Past the page of a maintenance, for whoever shows a secret: as a header, or as the cookie that a link gives.

In: NUAGES_BYPASS (the secret), NUAGES_BEHIND (`/api=blog-web-api-behind:80,/=blog-web-main-behind:80`, the longest path
first). The request is passed on as it came, but for the secret, and all that follows on both connections: so an upload,
an answer that streams and a WebSocket work as without the page in between.
"""

from __future__ import annotations

import contextlib
import hmac
import re
import socket
import threading
from collections.abc import Mapping
from email.message import Message
from http.server import BaseHTTPRequestHandler
from typing import NamedTuple

HEADER = "X-Nuages-Bypass"
COOKIE = "nuages-bypass"
LINK = "/-/bypass/"
CHUNK = 64 * 1024
PATIENCE = 10


class Way(NamedTuple):
    """What lets past, and to where."""

    secret: str
    behind: tuple[tuple[str, str, int], ...]
    """Path, host and port, the longest path first."""


def way(environ: Mapping[str, str]) -> Way | None:
    """What the environment says; None where nobody is let past."""
    secret, told = environ.get("NUAGES_BYPASS", ""), environ.get("NUAGES_BEHIND", "")
    if not secret or not told:
        return None
    places = [one.partition("=") for one in told.split(",")]
    return Way(secret, tuple((path, to.rpartition(":")[0], int(to.rpartition(":")[2])) for path, _, to in places))


def shown(to: Way, headers: Message) -> bool:
    """Whether a request shows the secret."""
    cookies = _cookies(headers.get("Cookie", ""))
    return any(_same(to.secret, value) for value in (headers.get(HEADER, ""), cookies.get(COOKIE, "")))


def link(to: Way, path: str) -> bool:
    """Whether it is the link that gives the cookie."""
    return path.startswith(LINK) and _same(to.secret, path.removeprefix(LINK).partition("?")[0])


def cookie(to: Way, headers: Message) -> str:
    """What a browser is told to show from now on, until it is closed."""
    secure = "; Secure" if headers.get("X-Forwarded-Proto", "") == "https" else ""
    return f"{COOKIE}={to.secret}; Path=/; HttpOnly; SameSite=Lax{secure}"


def behind(to: Way, path: str) -> tuple[str, int]:
    """Where a path leads: a route and all below it."""
    for route, host, port in to.behind:
        if path == route or path.startswith(route.rstrip("/") + "/"):
            return host, port
    return to.behind[-1][1:]


def head(request: BaseHTTPRequestHandler) -> bytes:
    """What is passed on of a request before its body; without the secret, and with one answer to a connection.

    A proxy in front may give the connection to somebody else's request afterwards, which nobody would look at. So only
    a WebSocket has it for longer: whatever else it could become (HTTP/2) is not offered.
    """
    upgrade = request.headers.get("Upgrade", "").strip().lower() == "websocket"
    left = {HEADER.lower(), "expect", *(() if upgrade else ("connection", "keep-alive", "upgrade", "http2-settings"))}
    lines = [f"{request.command} {request.path} HTTP/1.1"]
    for name, value in request.headers.items():
        if name.lower() == "cookie":
            kept = "; ".join(f"{key}={said}" for key, said in _cookies(value).items() if key != COOKIE)
            lines += [f"{name}: {kept}"] if kept else []
        elif name.lower() not in left:
            lines.append(f"{name}: {value}")
    lines += [] if upgrade else ["Connection: close"]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def through(to: Way, request: BaseHTTPRequestHandler) -> None:
    """Pass a request on, and all that follows, until the other side has said its last."""
    request.close_connection = True
    try:
        far = socket.create_connection(behind(to, request.path.partition("?")[0]), PATIENCE)
    except OSError as error:
        request.send_error(502, "Bad Gateway", f"the app does not answer: {error}")
        return
    with far:
        far.settimeout(None)
        request.connection.settimeout(None)
        far.sendall(head(request))
        threading.Thread(target=_rest, args=(request, far), daemon=True).start()
        with contextlib.suppress(OSError):
            while data := far.recv(CHUNK):
                request.wfile.write(data)
        with contextlib.suppress(OSError):
            request.connection.shutdown(socket.SHUT_RDWR)


def _rest(request: BaseHTTPRequestHandler, far: socket.socket) -> None:
    with contextlib.suppress(OSError, ValueError):
        while data := request.rfile.read1(CHUNK):
            far.sendall(data)
        far.shutdown(socket.SHUT_WR)


def _cookies(text: str) -> dict[str, str]:
    pairs = (one.partition("=") for one in re.split(r"; *", text) if one)
    return {name.strip(): value for name, _, value in pairs}


def _same(secret: str, told: str) -> bool:
    return hmac.compare_digest(secret.encode(), told.encode(errors="replace"))
