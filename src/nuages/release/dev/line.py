"""The connection to what runs in the pod: messages both ways, over one command that is entered there."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from nuages.errors import ClusterError, CommandFailed, Unreachable
from nuages.kube.channels import OUTPUT
from nuages.kube.client import Cluster
from nuages.kube.streams import Stream
from nuages.release.dev import frames
from nuages.release.dev.frames import Message
from nuages.render.dev import CONTAINER

BRIDGE = ("python", "-I", "-m", "nuages_runtime.dev.bridge")
_NOT_YET = 75
_PATIENCE = 30.0  # seconds until what runs in the pod listens
_PAUSE = 0.2


class Line:
    """One open connection."""

    def __init__(self, stream: Stream) -> None:
        """Take a stream that was opened to the bridge."""
        self._stream = stream
        self._reader = asyncio.StreamReader(limit=1 << 26)
        self._sending = asyncio.Lock()
        self.errors = b""
        self.failed: ClusterError | None = None

    async def send(self, message: Message, data: bytes = b"") -> None:
        """Send; a connection that was lost is told by `read`."""
        async with self._sending:
            await self._stream.send(frames.packed(message, data))

    async def read(self) -> tuple[Message, bytes]:
        """The next message.

        Raises:
            Unreachable: there is no connection any more.
        """
        try:
            return await frames.read(self._reader)
        except asyncio.IncompleteReadError:
            raise self.failed or Unreachable("the connection to the pod was closed") from None

    async def pump(self) -> None:
        """Take what comes, until nothing more does."""
        try:
            async for channel, data in self._stream:
                if channel == OUTPUT:
                    self._reader.feed_data(data)
                else:
                    self.errors += data
        except ClusterError as lost:
            self.failed = lost
        finally:
            self._reader.feed_eof()

    @property
    def not_yet(self) -> bool:
        """Whether nobody listened there."""
        return self._stream.exit_code == _NOT_YET


@asynccontextmanager
async def opened(cluster: Cluster, namespace: str, pod: str, hello: Message) -> AsyncIterator[tuple[Line, Message]]:
    """Connect, and say who we are; with what was answered.

    Raises:
        CommandFailed: the image has nothing of ours to talk to.
        ClusterError: the pod is not reached.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + _PATIENCE
    while True:
        async with cluster.entered(namespace, pod, CONTAINER, BRIDGE, stdin=True, tty=False) as stream:
            line = Line(stream)
            pump = asyncio.create_task(line.pump())
            try:
                await line.send({"hello": "", **hello})
                try:
                    answer, _ = await line.read()
                except Unreachable:
                    if b"No module named" in line.errors:
                        hint = "nuages deploy makes a new image; or nuages dev --build"
                        raise CommandFailed("the image was made by an older nuages", hint=hint) from None
                    if not line.not_yet or loop.time() > end:
                        raise
                else:
                    yield line, answer
                    return
            finally:
                pump.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await pump
        await asyncio.sleep(_PAUSE)
