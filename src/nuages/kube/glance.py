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
from typing import Any, BinaryIO, NamedTuple
from urllib.parse import quote, urlsplit

from nuages.kube import tls
from nuages.kube.config import IMPERSONATES, Access

CONNECT, READ = 1.5, 5.0  # seconds
_PROXIES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")


Question = tuple[str, Mapping[str, str]]
"""A path, and its parameters."""


class NotSeen(Exception):
    """A glance was not enough."""


class Answer(NamedTuple):
    """What came back of one question."""

    status: int
    body: bytes


class Glance:
    """An open connection, on which questions are answered in their order."""

    def __init__(self, connection: socket.socket, stream: BinaryIO, access: Access, signed: str) -> None:
        """Take over an open connection."""
        server = urlsplit(access.server)
        self._connection, self._stream = connection, stream
        self._path = server.path.rstrip("/")
        self._head = f"Host: {server.netloc}\r\nAccept: application/json, */*\r\n{signed}"
        self._open = 0

    def ask(self, asked: Sequence[Question]) -> None:
        """Send questions, each a path and its parameters, one behind the other.

        Raises:
            NotSeen: the connection was lost.
        """
        text = "".join(f"GET {self._path}{path}{query(words)} HTTP/1.1\r\n{self._head}\r\n" for path, words in asked)
        self._send(text.encode(), len(asked))

    def answer(self) -> Answer:
        """What came back of the next question, whatever it is.

        Raises:
            NotSeen: nothing that is understood.
        """
        self._open -= 1
        try:
            return self._answer()
        except (OSError, ValueError, LookupError) as error:
            raise NotSeen from error

    def answers(self, spared: Sequence[int] = ()) -> list[Any]:
        """Every document that is still to come; None for one that is not there and may be spared, by its place.

        Raises:
            NotSeen: one was not answered well.
        """
        return [self._document(spare=number in spared) for number in range(self._open)]

    def _document(self, *, spare: bool) -> Any:
        status, body = self.answer()
        if status != 200:
            if spare:
                return None
            raise NotSeen
        try:
            return json.loads(body)
        except ValueError as error:
            raise NotSeen from error

    def _send(self, data: bytes, count: int) -> None:
        try:
            self._connection.sendall(data)
        except OSError as error:
            raise NotSeen from error
        self._open += count

    def _answer(self) -> Answer:
        status = int(self._stream.readline().split(None, 2)[1])
        headers: dict[bytes, bytes] = {}
        while line := self._stream.readline().rstrip():
            name, _, value = line.partition(b":")
            headers[name.lower()] = value.strip()
        if status == 204:  # of a log that is not there yet: no body, and no length of one
            return Answer(status, b"")
        chunked = headers.get(b"transfer-encoding") == b"chunked"
        return Answer(status, self._chunks() if chunked else self._exactly(int(headers[b"content-length"])))

    def _exactly(self, size: int) -> bytes:
        body = self._stream.read(size)
        if len(body) < size:
            raise ValueError("it was cut off")
        return body

    def _chunks(self) -> bytes:
        parts = []
        while size := int(self._stream.readline().partition(b";")[0], 16):
            parts.append(self._exactly(size))
            self._stream.readline()
        self._stream.readline()
        return b"".join(parts)


@contextmanager
def glance(access: Access, asked: Sequence[Question]) -> Iterator[Glance]:
    """Open a connection, and send the first questions.

    Raises:
        NotSeen: this cluster is not reached so simply.
    """
    server = urlsplit(access.server)
    signed = _signed(access)
    if server.scheme != "https" or server.hostname is None or access.proxy or any(map(os.environ.get, _PROXIES)):
        raise NotSeen
    try:
        host = server.hostname.encode("ascii")  # bytes need no table of all characters (idna)
        with (
            socket.create_connection((host, server.port or 443), CONNECT) as plain,  # type: ignore[arg-type]
            tls.context(access).wrap_socket(plain, server_hostname=host) as connection,
            connection.makefile("rb") as stream,
        ):
            connection.settimeout(READ)
            made = Glance(connection, stream, access, signed)
            made.ask(asked)
            yield made
    except (OSError, UnicodeEncodeError) as error:
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


def query(words: Mapping[str, str]) -> str:
    """Parameters as they stand behind a path."""
    return "?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in words.items()) if words else ""
