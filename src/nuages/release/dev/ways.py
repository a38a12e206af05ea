"""A port of this machine that leads to one in the pod. Each connection has a tunnel of its own; one that is asked for
while the pod is out of reach waits a little.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from nuages.errors import ClusterError, UsageError
from nuages.kube.client import Cluster
from nuages.kube.forward import Tunnel
from nuages.release.forwarding import HERE, both

_CHUNK = 1 << 16
_ATTEMPTS = 40
_PAUSE = 0.5
_PORTS = 20


@asynccontextmanager
async def way(cluster: Cluster, namespace: str, pod: Callable[[], str], port: int, wanted: int) -> AsyncIterator[None]:
    """Listen at `wanted`, as long as the body lasts.

    Raises:
        UsageError: something else does.
    """
    open_now: set[asyncio.Task[None]] = set()

    def dig() -> AbstractAsyncContextManager[Tunnel]:
        return cluster.tunnel(namespace, pod(), port)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a callback of the server's runs in one
        open_now.add(task)
        try:
            await _passed(reader, writer, dig)
        except asyncio.CancelledError:  # the session is over; asyncio would complain of who tells it so
            pass
        finally:
            open_now.discard(task)
            writer.close()

    try:
        server = await asyncio.start_server(connected, HERE, wanted)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise UsageError(f"port {wanted} is in use here", hint="--port names another one") from error
    try:
        yield
    finally:
        server.close()
        for task in list(open_now):
            task.cancel()
        await asyncio.gather(*open_now, return_exceptions=True)


async def free(first: int) -> int:
    """The first port from this one on that nobody has; that one itself where all are taken."""
    for port in range(first, first + _PORTS):
        try:
            server = await asyncio.start_server(lambda _, writer: writer.close(), HERE, port)
        except OSError:
            continue
        server.close()
        await server.wait_closed()
        return port
    return first


async def _passed(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, dig: Callable[[], AbstractAsyncContextManager[Tunnel]]
) -> None:
    """One connection, from its first byte on: browsers open some that they never use."""
    with contextlib.suppress(OSError):
        first, begun = await reader.read(_CHUNK), False
        for _ in range(_ATTEMPTS if first else 0):
            try:
                async with dig() as tunnel:
                    begun = True
                    await tunnel.send(first)
                    await both(tunnel, reader, writer)
            except ClusterError:
                if begun:
                    return
                await asyncio.sleep(_PAUSE)
            else:
                return
