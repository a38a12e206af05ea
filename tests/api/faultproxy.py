"""A TLS proxy between nuages and a real API server that does one bad thing to one call, or kills who calls.

It speaks HTTP/1.1 to both sides, keeps connections as a load balancer does, and is the cluster's administrator towards
the server; whoever comes is let in.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import re
import ssl
import tempfile
from collections.abc import AsyncIterator, Callable
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import yaml
from registry import authority

_GENERATED = r"/namespaces/[^/]+(?=/)|(?<=-secrets)-[0-9a-f]{10}|(?<=-wait)-[0-9a-f]{8}|(?<=-inspect)-[0-9a-z]{5}"


class Kind(StrEnum):
    """What is done to a call."""

    DROP = "drop"
    """The connection is closed before the server hears of it."""
    LOSE = "lose"
    """The server does it, and the connection is closed instead of an answer."""
    CUT = "cut"
    """The answer ends in its middle."""
    DELAY = "delay"
    """It is passed on late."""
    TWICE = "twice"
    """The server hears it two times, and the second answer is the one that arrives."""
    CONFLICT = "409"
    LATER = "429"
    BROKEN = "500"
    AWAY = "503"
    EXPIRED = "410"
    KILL = "kill"
    """The caller is killed as soon as the server has done it."""


REASONS = {
    Kind.CONFLICT: (409, "Conflict", "the object has been modified; please apply your changes to the latest version"),
    Kind.LATER: (429, "TooManyRequests", "too many requests, please try again later"),
    Kind.BROKEN: (500, "InternalError", "etcdserver: request timed out"),
    Kind.AWAY: (503, "ServiceUnavailable", "apiserver is shutting down"),
    Kind.EXPIRED: (410, "Expired", "too old resource version"),
}
LATE = 0.7
"""Seconds; long enough that everything else overtakes the call."""


class Fault(NamedTuple):
    """What happens, to which call: as `str(Call)` has it, and the how-manieth of these.

    Not by a number among all: what is asked at the same time comes in another order each time.
    """

    kind: Kind
    call: str
    nth: int = 0

    def __str__(self) -> str:
        return f"{self.kind} {self.call} ({self.nth + 1})"


class Call(NamedTuple):
    """One request."""

    method: str
    target: str
    head: list[bytes]
    body: bytes

    def __str__(self) -> str:
        """`PATCH /apis/apps/v1/deployments/blog-web-main`: the same in every namespace, whatever is generated."""
        path, _, query = self.target.partition("?")
        said = "".join(f" {word}" for word in ("watch", "dryRun") if f"{word}=" in query)
        return f"{self.method} {re.sub(_GENERATED, '', path)}{said}"


class Proxy:
    """Listens on 127.0.0.1; `kubeconfig` leads through it."""

    def __init__(self, admin: Path, folder: Path) -> None:
        """Prepare from the administrator's kubeconfig; certificates and the new kubeconfig go to `folder`."""
        document = yaml.safe_load(admin.read_text())
        cluster, user = document["clusters"][0]["cluster"], document["users"][0]["user"]
        self._server = urlsplit(cluster["server"])
        self._up = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
        self._up.verify_flags &= ~ssl.VERIFY_X509_STRICT
        with tempfile.NamedTemporaryFile(dir=folder) as pem:
            for name in ("client-certificate-data", "client-key-data"):
                pem.write(base64.b64decode(user[name]) + b"\n")
            pem.flush()
            self._up.load_cert_chain(pem.name)
        trusted, certificate = authority(folder)
        self._down = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._down.load_cert_chain(*certificate)
        self._ca = base64.b64encode(trusted.read_bytes()).decode()
        self._document = document
        self._listening: asyncio.Server | None = None
        self._served: set[asyncio.Task[None]] = set()
        self.kubeconfig = folder / "kubeconfig"
        self.fault: Fault | None = None
        self.calls: list[str] = []
        self.hit = False
        """Whether the call came that the fault is for."""
        self.kill: Callable[[], None] = lambda: None

    async def __aenter__(self) -> Proxy:
        self._listening = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._down)
        port = self._listening.sockets[0].getsockname()[1]
        self._document["clusters"][0]["cluster"] = {
            "server": f"https://127.0.0.1:{port}",
            "certificate-authority-data": self._ca,
        }
        self._document["users"][0]["user"] = {"token": "anybody"}
        self.kubeconfig.write_text(yaml.safe_dump(self._document))
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._listening
        self._listening.close()
        for task in self._served:
            task.cancel()
        await asyncio.gather(*self._served, return_exceptions=True)

    def expect(self, fault: Fault | None) -> None:
        """Begin to count anew, with this fault before us."""
        self.fault, self.calls, self.hit = fault, [], False

    def _due(self, call: str) -> Kind | None:
        """What is to be done to a call that has just come."""
        self.calls.append(call)
        due = self.fault is not None and self.fault[1:] == (call, self.calls.count(call) - 1)
        self.hit = self.hit or due
        return self.fault.kind if self.fault and due else None

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._served.add(task)
        task.add_done_callback(self._served.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """All calls of one connection, each passed on over one connection to the server."""
        up: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            try:
                while (call := await _read(reader)) is not None:
                    kind = self._due(str(call))
                    if kind in REASONS:
                        writer.write(_refusal(kind))
                        await writer.drain()
                        continue
                    if kind is Kind.DROP:
                        return
                    if kind is Kind.DELAY:
                        await asyncio.sleep(LATE)
                    up = up or await self._connect()
                    if kind is Kind.TWICE and "watch=true" not in call.target:
                        await _ask(call, *up)
                        async for _ in _answer(*up, call):
                            pass
                    if not await self._pass_on(call, kind, up, writer):
                        return
            finally:
                for one in (writer, *(up[1:] if up else ())):
                    one.transport.abort()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(self._server.hostname, self._server.port, ssl=self._up, limit=2**20)

    async def _pass_on(
        self,
        call: Call,
        kind: Kind | None,
        up: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        writer: asyncio.StreamWriter,
    ) -> bool:
        """Ask the server and hand its answer down; False where the connection is to be closed."""
        await _ask(call, *up)
        first = True
        async for piece in _answer(*up, call):
            if kind is Kind.KILL:
                self.kill()
                return False
            if kind is Kind.LOSE:
                if "watch=true" in call.target:
                    return False
                first = False
                continue
            if kind is Kind.CUT and not first:
                writer.write(piece[: len(piece) // 2])
                await writer.drain()
                return False
            writer.write(piece)
            await writer.drain()
            first = False
        return kind is not Kind.LOSE


async def _read(reader: asyncio.StreamReader) -> Call | None:
    """The next request; None where the connection ends."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[:-2]
    except asyncio.IncompleteReadError:
        return None
    method, target, _ = head[0].decode().split(" ", 2)
    length = int(_header(head, b"content-length") or 0)
    kept = [line for line in head[1:] if not line.lower().startswith((b"authorization:", b"host:"))]
    return Call(method, target, kept, await reader.readexactly(length))


async def _ask(call: Call, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    lines = [f"{call.method} {call.target} HTTP/1.1".encode(), b"Host: apiserver", *call.head, b"", call.body]
    writer.write(b"\r\n".join(lines))
    await writer.drain()


async def _answer(reader: asyncio.StreamReader, _: asyncio.StreamWriter, call: Call) -> AsyncIterator[bytes]:
    """The server's answer as it comes: its head, then its body in pieces."""
    text = await reader.readuntil(b"\r\n\r\n")
    head = text.split(b"\r\n")
    yield text
    if call.method == "HEAD":
        return
    if _header(head, b"transfer-encoding") == b"chunked":
        while True:
            size = await reader.readuntil(b"\r\n")
            chunk = size + await reader.readexactly(int(size.partition(b";")[0], 16) + 2)
            yield chunk
            if size.strip() == b"0":
                return
    yield await reader.readexactly(int(_header(head, b"content-length") or 0))


def _header(head: list[bytes], name: bytes) -> bytes:
    return next((line.partition(b":")[2].strip() for line in head if line.lower().startswith(name + b":")), b"")


def _refusal(kind: Kind) -> bytes:
    """The API server's own form of an error."""
    code, reason, message = REASONS[kind]
    status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code}
    body = json.dumps(status | {"message": message, "metadata": {}}).encode()
    head = [f"HTTP/1.1 {code} {reason}", "Content-Type: application/json", f"Content-Length: {len(body)}"]
    if kind is Kind.LATER:
        head.append("Retry-After: 1")
    return "\r\n".join([*head, "", ""]).encode() + body
