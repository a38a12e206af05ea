"""One connection to a port inside a pod, over one WebSocket.

Each message is one byte that names a channel, and bytes: 0 what is sent and received, 1 why it ended. The first message
of each is the port, two bytes that say nothing new. An end of one direction alone can't be told.
https://github.com/kubernetes/kubernetes/blob/v1.34.0/staging/src/k8s.io/kubelet/pkg/cri/streaming/portforward/websocket.go
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from nuages.errors import ClusterError, Unreachable
from nuages.kube.channels import FOUR
from nuages.kube.failures import Asked
from nuages.kube.streams import Way, connected

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

DATA, ERROR = 0, 1


class Tunnel:
    """The open connection; iterate over it for what comes."""

    def __init__(self, connection: ClientConnection, asked: Asked) -> None:
        """Take a connection that was made by `dug`."""
        self._connection = connection
        self._asked = asked

    async def send(self, data: bytes) -> None:
        """Send bytes; nothing happens where the other side has ended, which the reader is told."""
        from websockets.exceptions import ConnectionClosed  # noqa: PLC0415 - slow to import

        with contextlib.suppress(ConnectionClosed):
            await self._connection.send(bytes([DATA]) + data)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """What the pod sends.

        Raises:
            ClusterError: nothing listens there; or the connection to the cluster was lost.
        """
        from websockets.exceptions import ConnectionClosedError  # noqa: PLC0415

        told = set()
        try:
            async for message in self._connection:
                if not isinstance(message, bytes) or not message:
                    continue
                channel, data = message[0], message[1:]
                if channel not in told:
                    told.add(channel)
                    data = data[2:]
                if channel == ERROR and data:
                    raise ClusterError(f"cannot {self._asked}: {data.decode(errors='replace').strip()}")
                if channel == DATA and data:
                    yield data
        except ConnectionClosedError as error:
            raise Unreachable("the connection to the pod was lost") from error


@asynccontextmanager
async def dug(way: Way, path: str, port: int, asked: Asked) -> AsyncIterator[Tunnel]:
    """Open a connection to a port of a pod.

    Raises:
        ClusterError: no answer, or one that is no connection (no such pod, a missing right).
    """
    async with connected(way, path, [("ports", str(port))], asked, (FOUR,)) as connection:
        yield Tunnel(connection, asked)
