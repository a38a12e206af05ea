"""A port of this machine that leads into a pod: each connection has a tunnel of its own, and only this machine asks.

Where a tunnel leads is not known here: who opens one says so, and waits for a pod where need be.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from nuages.errors import NuagesError, UsageError
from nuages.kube.forward import Tunnel

CHUNK = 64 * 1024
LINGER = 10.0
"""Seconds that an answer may take to go on once the client has said its last: that it has can't be passed on."""

HERE = "127.0.0.1"

Dig = Callable[[], AbstractAsyncContextManager[Tunnel]]
"""Opens a tunnel to where connections go now."""


@asynccontextmanager
async def way(
    ports: Sequence[int], dig: Dig, failed: Callable[[NuagesError], None], *, hint: str, asked_first: bool = False
) -> AsyncIterator[int]:
    """Listen for the body, at the first of these ports that is free; yields which.

    A connection that finds no pod ends, and `failed` hears why. `asked_first` is for what says nothing unasked, and
    opens no tunnel for connections that are never used: browsers make some.

    Raises:
        UsageError: all of the ports are taken; with `hint`.
    """
    passing: set[asyncio.Task[None]] = set()

    async def passed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            first = await reader.read(CHUNK) if asked_first else b""
            if first or not asked_first:
                async with dig() as tunnel:
                    if first:
                        await tunnel.send(first)
                    await _both(tunnel, reader, writer)
        except NuagesError as error:
            failed(error)
        except OSError:
            pass  # the client is gone
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def taken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(passed(reader, writer))
        passing.add(task)
        task.add_done_callback(passing.discard)

    at = _listening(ports, hint)
    server = await asyncio.start_server(taken, sock=at)
    try:
        yield int(at.getsockname()[1])
    finally:
        server.close()
        for task in passing:
            task.cancel()
        await asyncio.gather(*passing, return_exceptions=True)


def _listening(ports: Sequence[int], hint: str) -> socket.socket:
    refused: OSError | None = None
    for port in ports:
        made = socket.socket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            made.bind((HERE, port))
            made.listen(128)
        except OSError as error:
            made.close()
            refused = refused or error
        else:
            made.setblocking(False)
            return made
    assert refused  # noqa: S101 - there is a port to try
    what = "is taken" if refused.errno == errno.EADDRINUSE else f"cannot be had: {refused.strerror}"
    raise UsageError(f"port {ports[0]} of this machine {what}", hint=hint) from refused


async def _both(tunnel: Tunnel, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass bytes both ways until the pod has said its last, or the client is gone."""
    heard = asyncio.Event()

    async def out() -> None:
        while data := await reader.read(CHUNK):
            await tunnel.send(data)
        while True:  # it may have closed, or only said its last: an answer that goes on is passed on
            heard.clear()
            async with asyncio.timeout(LINGER):
                await heard.wait()

    async def back() -> None:
        async for data in tunnel:
            heard.set()
            writer.write(data)
            await writer.drain()

    tasks = [asyncio.create_task(out()), asyncio.create_task(back())]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            with contextlib.suppress(TimeoutError):
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
