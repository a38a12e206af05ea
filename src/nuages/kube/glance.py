"""A few things read at once over one connection, before anything is imported that is slow to import.

httpx2 and asyncio cost 60 ms, as much as all of `kubectl get pods`. So one connection is opened by hand, all questions
are sent one behind the other (https://www.rfc-editor.org/rfc/rfc9112#name-pipelining), and the caller imports what it
needs while the API server answers. This knows only success: whatever is in the way of it (a proxy, a plugin that proves
who we are, a right that is missing, no answer) ends it with `NotSeen`, and `Cluster` is asked instead, which explains.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO
from urllib.parse import quote, urlsplit

from nuages.kube import tls
from nuages.kube.config import IMPERSONATES, Access

CONNECT, READ = 1.5, 5.0  # seconds
_PROXIES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")


class NotSeen(Exception):
    """A glance was not enough."""


class Glance:
    """Questions on their way; `answers` gives what came back, in their order."""

    def __init__(self, stream: BinaryIO, count: int) -> None:
        """Read from an open connection."""
        self._stream = stream
        self._count = count

    def answers(self, spared: Sequence[int] = ()) -> list[Any]:
        """Every document; None for one that is not there and may be spared, by its place.

        Raises:
            NotSeen: one was not answered well.
        """
        try:
            return [self._answer(spare=number in spared) for number in range(self._count)]
        except (OSError, ValueError, IndexError) as error:
            raise NotSeen from error

    def _answer(self, *, spare: bool) -> Any:
        status = int(self._stream.readline().split(None, 2)[1])
        headers: dict[bytes, bytes] = {}
        while line := self._stream.readline().rstrip():
            name, _, value = line.partition(b":")
            headers[name.lower()] = value.strip()
        body = self._chunks() if headers.get(b"transfer-encoding") == b"chunked" else self._exactly(headers)
        if status == 200:
            return json.loads(body)
        if spare:
            return None
        raise NotSeen

    def _exactly(self, headers: Mapping[bytes, bytes]) -> bytes:
        return self._stream.read(int(headers.get(b"content-length", b"0")))

    def _chunks(self) -> bytes:
        parts = []
        while size := int(self._stream.readline().partition(b";")[0], 16):
            parts.append(self._stream.read(size))
            self._stream.readline()
        self._stream.readline()
        return b"".join(parts)


@contextmanager
def glance(access: Access, asked: Sequence[tuple[str, Mapping[str, str]]]) -> Iterator[Glance]:
    """Send all questions, each a path and its parameters.

    Raises:
        NotSeen: this cluster is not reached so simply.
    """
    server = urlsplit(access.server)
    signed = _signed(access)
    if server.scheme != "https" or server.hostname is None or access.proxy or any(map(os.environ.get, _PROXIES)):
        raise NotSeen
    head = f"Host: {server.netloc}\r\nAccept: application/json\r\n{signed}\r\n"
    text = "".join(f"GET {server.path.rstrip('/')}{path}{_query(words)} HTTP/1.1\r\n{head}" for path, words in asked)
    try:
        with (
            socket.create_connection((server.hostname, server.port or 443), CONNECT) as plain,
            tls.context(access).wrap_socket(plain, server_hostname=server.hostname) as connection,
            connection.makefile("rb") as stream,
        ):
            connection.settimeout(READ)
            connection.sendall(text.encode())
            yield Glance(stream, len(asked))
    except OSError as error:
        raise NotSeen from error


def _signed(access: Access) -> str:
    """The line that says who we are, where no certificate does."""
    user = access.user
    if any(map(user.get, ("exec", "username", "auth-provider", "tokenFile", *IMPERSONATES))):
        raise NotSeen
    token = str(user.get("token", ""))
    if not token.isprintable():
        raise NotSeen
    return f"Authorization: Bearer {token}\r\n" if token else ""


def _query(words: Mapping[str, str]) -> str:
    return "?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in words.items()) if words else ""
