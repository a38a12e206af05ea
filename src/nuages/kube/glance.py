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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlsplit

from nuages.kube import tls
from nuages.kube.config import IMPERSONATES, Access

if TYPE_CHECKING:
    from io import BufferedReader

CONNECT, READ = 1.5, 5.0  # seconds
_PROXIES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")


Words = Iterable[tuple[str, str]]
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

    def __init__(self, connection: socket.socket, stream: BufferedReader, access: Access, signed: str) -> None:
        """Take over an open connection."""
        server = urlsplit(access.server)
        self.connection, self._stream = connection, stream
        self._path = server.path.rstrip("/")
        self._head = f"Host: {server.netloc}\r\nAccept: application/json, */*\r\n{signed}"
        self._open = 0

    def ask(self, asked: Sequence[Question]) -> None:
        """Send questions, each a path and its parameters, one behind the other.

        Raises:
            NotSeen: the connection was lost.
        """
        text = "".join(self._line("GET", path, words.items()) + "\r\n" for path, words in asked)
        self._send(text.encode(), len(asked))

    def merge(self, path: str, words: Mapping[str, str], change: object) -> None:
        """Send a change of some fields of an object (RFC 7396).

        Raises:
            NotSeen: the connection was lost.
        """
        body = json.dumps(change).encode()
        about = f"Content-Type: application/merge-patch+json\r\nContent-Length: {len(body)}\r\n\r\n"
        self._send((self._line("PATCH", path, words.items()) + about).encode() + body, 1)

    def upgrade(self, path: str, words: Words, lines: str) -> tuple[Answer, Mapping[bytes, bytes]]:
        """Ask that the connection speaks something else from here on; the answer, and its headers. Where that is 101,
        its body is what came of that already, and the connection is the caller's.

        Raises:
            NotSeen: nothing that is understood.
        """
        self._send((self._line("GET", path, words) + lines + "\r\n").encode(), 1)
        self._open -= 1
        try:
            status, headers = self._heads()
            if status != 101:
                bare = not headers.keys() & {b"transfer-encoding", b"content-length"}  # and the connection ends
                return Answer(status, self._stream.read() if bare else self._body(status, headers)), headers
            self.connection.setblocking(False)
            try:
                came = self._stream.peek()
            except OSError:  # nothing yet
                came = b""
            return Answer(status, came), headers
        except (OSError, ValueError, LookupError) as error:
            raise NotSeen from error

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
            self.connection.sendall(data)
        except OSError as error:
            raise NotSeen from error
        self._open += count

    def _line(self, method: str, path: str, words: Words) -> str:
        return f"{method} {self._path}{path}{query(words)} HTTP/1.1\r\n{self._head}"

    def _answer(self) -> Answer:
        status, headers = self._heads()
        return Answer(status, self._body(status, headers))

    def _heads(self) -> tuple[int, dict[bytes, bytes]]:
        status = int(self._stream.readline().split(None, 2)[1])
        headers: dict[bytes, bytes] = {}
        while line := self._stream.readline().rstrip():
            name, _, value = line.partition(b":")
            headers[name.lower()] = value.strip()
        return status, headers

    def _body(self, status: int, headers: Mapping[bytes, bytes]) -> bytes:
        if status == 204:  # of a log that is not there yet: no body, and no length of one
            return b""
        chunked = headers.get(b"transfer-encoding") == b"chunked"
        return self._chunks() if chunked else self._exactly(int(headers[b"content-length"]))

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
    with ExitStack() as held:
        try:
            host = server.hostname.encode("ascii")  # bytes need no table of all characters (idna)
            address = (host, server.port or 443)
            plain = held.enter_context(socket.create_connection(address, CONNECT))  # type: ignore[arg-type]
            connection = held.enter_context(tls.context(access).wrap_socket(plain, server_hostname=host))
            stream = held.enter_context(connection.makefile("rb"))
        except (OSError, UnicodeEncodeError) as error:
            raise NotSeen from error
        connection.settimeout(READ)
        made = Glance(connection, stream, access, signed)
        made.ask(asked)
        yield made


def _signed(access: Access) -> str:
    """The line that says who we are, where no certificate does."""
    user = access.user
    if any(map(user.get, ("exec", "username", "auth-provider", "tokenFile", *IMPERSONATES))):
        raise NotSeen
    token = str(user.get("token", ""))
    if not token.isprintable():
        raise NotSeen
    return f"Authorization: Bearer {token}\r\n" if token else ""


def query(words: Words) -> str:
    """Parameters as they stand behind a path."""
    said = "&".join(f"{name}={quote(value, safe='')}" for name, value in words)
    return f"?{said}" if said else ""
