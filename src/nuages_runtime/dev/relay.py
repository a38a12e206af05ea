"""The port that a browser is led to: it is open from the first moment on, and waits for the server where that starts.

So a page that is asked for right after a file was saved is the new one, however long the server takes.
"""

from __future__ import annotations

import asyncio
import contextlib
import html

from nuages_runtime.dev.places import INSIDE
from nuages_runtime.dev.served import Served

_CHUNK = 1 << 16
_LONGEST = 120.0  # seconds that a request waits for a server that starts
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>body{{font:16px/1.5 system-ui;margin:3rem auto;max-width:60rem;padding:0 1rem}}
pre{{background:#f4f1ec;padding:1rem;overflow:auto;font-size:14px}}</style>
<h1>{title}</h1><p>{text}</p><pre>{detail}</pre></html>"""


class Relay:
    """Every connection to `port` becomes one to the server."""

    def __init__(self, served: Served, port: int) -> None:
        """Not open yet."""
        self._served, self._port = served, port
        self._open: set[asyncio.StreamWriter] = set()

    async def listen(self) -> asyncio.Server:
        """Open the port, for this pod alone: what comes by port-forward comes from here."""
        return await asyncio.start_server(self._connected, "127.0.0.1", self._port)

    def cut(self) -> None:
        """End all connections: what is asked on them from now on is for the next server."""
        for writer in list(self._open):
            writer.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await self._passed(reader, writer)
        writer.close()

    async def _passed(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await reader.read(_CHUNK)
        if not first:
            return
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._served.answers(), _LONGEST)
        if not self._served.ready:
            writer.write(_answer(self._served))
            await writer.drain()
            return
        to_server, from_us = await asyncio.open_connection("127.0.0.1", INSIDE)
        self._open |= {writer, from_us}
        try:
            from_us.write(first)
            await asyncio.gather(_pump(reader, from_us), _pump(to_server, writer), return_exceptions=True)
        finally:
            self._open -= {writer, from_us}
            from_us.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on until the end, and tell the end: a browser may close its half, and still read."""
    while data := await reader.read(_CHUNK):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


def _answer(served: Served) -> bytes:
    """What a browser sees where there is no server."""
    ended = served.code is not None
    title = f"The server ended (exit {served.code})" if ended else "The server does not answer"
    text = "It starts again when a file is saved." if ended else "It has started, and does not listen yet."
    page = _PAGE.format(title=title, text=text, detail=html.escape(served.last_words()))
    body = page.encode()
    return (
        b"HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/html; charset=utf-8\r\nCache-Control: no-store\r\n"
        b"Connection: close\r\nContent-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body
    )
