"""A container's own streams over one WebSocket: what it says, what it is told, and its terminal's size."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlencode

import msgspec

from nuages.errors import Unreachable
from nuages.kube.channels import ALIVE, CLOSED, ENDED, ERRORS, FIVE, FOUR, INPUT, OPENING, OUTPUT, SILENCE, SIZE, code
from nuages.kube.failures import Asked, failure

if TYPE_CHECKING:
    import ssl

    from websockets.asyncio.client import ClientConnection


class Way(NamedTuple):
    """How an API server is reached, but for the path."""

    url: str
    """`https://host:port` and the path it may have in front."""
    headers: Mapping[str, str]
    tls: ssl.SSLContext
    proxy: str | None


class Stream:
    """The open connection; iterate over it for (channel, bytes), until the container has nothing more to say."""

    def __init__(self, connection: ClientConnection, asked: Asked) -> None:
        """Take a connection that was made by `opened`."""
        self._connection = connection
        self._asked = asked
        self.exit_code: int | None = None
        """Of a program that was started for this connection, once it has ended; None where that is not told."""

    @property
    def closes_input(self) -> bool:
        """Whether the end of the input can be told."""
        return self._connection.subprotocol == FIVE

    async def send(self, data: bytes) -> None:
        """Write to the container's input; nothing happens where it has ended meanwhile."""
        await self._write(bytes([INPUT]) + data)

    async def close_input(self) -> None:
        """Tell that no more input comes, as a pipe does that ends."""
        if self.closes_input:
            await self._write(bytes([CLOSED, INPUT]))

    async def resize(self, columns: int, rows: int) -> None:
        """Tell the size of the terminal."""
        await self._write(bytes([SIZE]) + msgspec.json.encode({"Width": columns, "Height": rows}))

    async def __aiter__(self) -> AsyncIterator[tuple[int, bytes]]:
        """What the container writes.

        Raises:
            Unreachable: the connection was lost, and the container may go on.
            ClusterError: the cluster ended it, and says why.
        """
        from websockets.exceptions import ConnectionClosedError  # noqa: PLC0415 - slow to import

        try:
            async for message in self._connection:
                channel, data = (message[0], message[1:]) if isinstance(message, bytes) and message else (OUTPUT, b"")
                if channel == ENDED:
                    status = msgspec.json.decode(data) if data else {}
                    self.exit_code = code(status)
                    # How a program ended is no failure of the connection.
                    if status.get("status") == "Failure" and self.exit_code is None:
                        raise failure(int(status.get("code") or 500), bytes(data), self._asked)
                elif channel in {OUTPUT, ERRORS} and data:
                    yield channel, data
        except ConnectionClosedError as error:
            raise Unreachable("the connection to the container was lost") from error

    async def _write(self, message: bytes) -> None:
        from websockets.exceptions import ConnectionClosed  # noqa: PLC0415

        # The reader tells how it ended.
        with contextlib.suppress(ConnectionClosed):
            await self._connection.send(message)


@asynccontextmanager
async def opened(way: Way, path: str, parameters: Sequence[tuple[str, str]], asked: Asked) -> AsyncIterator[Stream]:
    """Open the streams of a container that runs.

    Raises:
        ClusterError: no answer, or one that is no connection (no such container, a missing right).
    """
    async with connected(way, path, parameters, asked, (FIVE, FOUR)) as connection:
        yield Stream(connection, asked)


@asynccontextmanager
async def connected(
    way: Way, path: str, parameters: Sequence[tuple[str, str]], asked: Asked, protocols: Sequence[str]
) -> AsyncIterator[ClientConnection]:
    """A WebSocket to the API server, which passes it on to the pod's node; closed after the body.

    Raises:
        ClusterError: as `opened`.
    """
    from websockets.asyncio.client import connect  # noqa: PLC0415
    from websockets.exceptions import InvalidHandshake, InvalidStatus, WebSocketException  # noqa: PLC0415
    from websockets.typing import Subprotocol  # noqa: PLC0415

    class Direct(connect):
        """No redirect is followed: it would lead what is typed, and who we are, to wherever a bad node likes."""

        def process_redirect(self, exc: Exception) -> Exception:
            return exc

    secure = way.url.startswith("https:")
    try:
        connection = await Direct(
            f"{'wss' if secure else 'ws'}://{way.url.partition('://')[2].rstrip('/')}{path}?{urlencode(parameters)}",
            subprotocols=[Subprotocol(one) for one in protocols],
            additional_headers=dict(way.headers),
            user_agent_header="nuages",
            compression=None,
            max_size=None,
            ping_interval=ALIVE,
            ping_timeout=SILENCE,
            open_timeout=OPENING,
            close_timeout=1,
            proxy=way.proxy or True,
            ssl=way.tls if secure else None,
        )
    except InvalidStatus as refused:
        raise failure(refused.response.status_code, bytes(refused.response.body or b""), asked) from refused
    except (OSError, TimeoutError, InvalidHandshake, WebSocketException) as error:
        raise Unreachable(f"cannot {asked}: {error or type(error).__name__}") from error
    try:
        yield connection
    finally:
        await connection.close()
