"""A container's streams over one WebSocket, without asyncio: for one command that waits for nothing else.

As kube/streams.py, which asks where this is not enough. Nothing here waits: `heard` and `flush` do what can be done
now, and whoever holds it waits for the connection.
"""

from __future__ import annotations

import json
import socket
import ssl
import time
from binascii import b2a_base64
from collections.abc import Iterator, Sequence
from hashlib import sha1
from os import urandom

from nuages.errors import Unreachable
from nuages.kube.channels import ALIVE, CLOSED, ENDED, ERRORS, FIVE, FOUR, INPUT, OPENING, OUTPUT, SILENCE, SIZE, code
from nuages.kube.failures import Asked, failure
from nuages.kube.frames import BINARY, CLOSE, PING, PONG, Broken, Frames, framed, well
from nuages.kube.glance import Glance, NotSeen

CHUNK = 64 * 1024
FULL = 256 * 1024
"""Bytes that wait to be sent, from which on nothing more is taken in: the program is slow."""

_KEY = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # https://www.rfc-editor.org/rfc/rfc6455#section-1.3
_NOT_NOW = (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError)


class Wire:
    """The open connection."""

    def __init__(self, connection: socket.socket, came: bytes, protocol: str, asked: Asked) -> None:
        """Take over a connection that waits for nothing, and what came of it already."""
        self._connection, self._came, self._asked = connection, came, asked
        self.closes_input = protocol == FIVE
        """Whether the end of the input can be told."""
        self.exit_code: int | None = None
        """Of the program, once it has ended; None where that is not told."""
        self.ended = False
        """Whether there is nothing more to come."""
        self._frames = Frames()
        self._out = bytearray()
        self._alive = self._asked_at = time.monotonic()

    def fileno(self) -> int:
        """What `select` waits for."""
        return self._connection.fileno()

    @property
    def waiting(self) -> int:
        """Bytes that are still to be sent."""
        return len(self._out)

    @property
    def came(self) -> bool:
        """Whether there is something to be heard that `select` does not know of."""
        return bool(self._came) or (isinstance(self._connection, ssl.SSLSocket) and self._connection.pending() > 0)

    def send(self, data: bytes) -> None:
        """Write to the program's input."""
        self._put(bytes([INPUT]) + data)

    def close_input(self) -> None:
        """Tell that no more input comes, as a pipe does that ends."""
        if self.closes_input:
            self._put(bytes([CLOSED, INPUT]))

    def resize(self, columns: int, rows: int) -> None:
        """Tell the size of the terminal."""
        self._put(bytes([SIZE]) + json.dumps({"Width": columns, "Height": rows}).encode())

    def flush(self) -> None:
        """Send what the connection takes now; where it has ended, who hears is told."""
        while self._out:
            try:
                sent = self._connection.send(bytes(self._out[:CHUNK]))
            except _NOT_NOW:
                return
            except OSError:
                self._out.clear()
                return
            del self._out[:sent]

    def heard(self) -> Iterator[tuple[int, bytes]]:
        """What has come, by channel.

        Raises:
            Unreachable: the connection was lost, and the program may go on.
            ClusterError: the cluster ended it, and says why.
        """
        try:
            data, self._came = self._came or self._connection.recv(CHUNK), b""
        except _NOT_NOW:
            return
        except OSError as error:
            raise Unreachable("the connection to the container was lost") from error
        self._alive = time.monotonic()
        try:
            messages = self._frames.fed(data)
        except Broken as error:
            raise Unreachable(f"the connection to the container was lost: {error}") from error
        for kind, message in messages:
            if kind == PING:
                self._out += framed(PONG, message)
            elif kind == CLOSE:
                if not well(message) and self.exit_code is None:
                    raise Unreachable("the connection to the container was lost")
                self._out += framed(CLOSE, message[:2])
                self.ended = True
                return
            elif kind == BINARY and message:
                yield from self._told(message[0], message[1:])
        if not data:
            if self.exit_code is None:
                raise Unreachable("the connection to the container was lost")
            self.ended = True

    def keep_alive(self) -> float:
        """Ask whether the other side is there where nothing comes; answers in how many seconds to do so again. Who has
        not listened meanwhile (a pager that is full, Ctrl-Z) is to listen first: the answer may lie there.

        Raises:
            Unreachable: it has not answered for too long.
        """
        now = time.monotonic()
        unanswered = self._asked_at > self._alive
        if unanswered and now - self._asked_at > SILENCE:
            raise Unreachable("the connection to the container was lost: it does not answer")
        if not unanswered and now - self._alive >= ALIVE:
            self._out += framed(PING, b"")
            self._asked_at, unanswered = now, True
        return max(self._asked_at + SILENCE if unanswered else self._alive + ALIVE, now) - now

    def _told(self, channel: int, data: bytes) -> Iterator[tuple[int, bytes]]:
        if channel == ENDED:
            status = json.loads(data) if data else {}
            self.exit_code = code(status)
            # How a program ended is no failure of the connection.
            if status.get("status") == "Failure" and self.exit_code is None:
                raise failure(int(status.get("code") or 500), data, self._asked)
        elif channel in {OUTPUT, ERRORS} and data:
            yield channel, data

    def _put(self, message: bytes) -> None:
        self._out += framed(BINARY, message)


def opened(
    questions: Glance, path: str, parameters: Sequence[tuple[str, str]], asked: Asked, patience: float = OPENING
) -> Wire:
    """Have a connection speak with a container from here on, on which everything asked before was answered.

    Raises:
        ClusterError: no answer, or one that is no connection (no such container, a missing right).
    """
    key = b2a_base64(urandom(16), newline=False)
    lines = (
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: {key.decode()}\r\nSec-WebSocket-Protocol: {FIVE}, {FOUR}\r\n"
    )
    questions.connection.settimeout(patience)
    try:
        (status, came), headers = questions.upgrade(path, parameters, lines)
    except NotSeen as error:
        raise Unreachable(f"cannot {asked}: {error.__cause__ or 'the connection was lost'}") from error
    if status != 101:
        raise failure(status, came, asked)
    proof = b2a_base64(sha1(key + _KEY, usedforsecurity=False).digest(), newline=False)
    protocol = headers.get(b"sec-websocket-protocol", b"").decode()
    if headers.get(b"sec-websocket-accept") != proof or protocol not in (FIVE, FOUR):
        raise Unreachable(f"cannot {asked}: what answers there speaks something else")
    return Wire(questions.connection, came, protocol, asked)
