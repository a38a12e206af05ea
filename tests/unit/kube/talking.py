"""A server that speaks as a container's streams do, for those who read them."""

from __future__ import annotations

import contextlib

from websockets.asyncio.server import serve

from nuages.kube.streams import Way


@contextlib.asynccontextmanager
async def talking(story, *protocols, process_request=None):
    """A server that runs `story(connection)` for each that connects."""
    async with serve(story, "127.0.0.1", 0, subprotocols=protocols, process_request=process_request) as server:
        port = server.sockets[0].getsockname()[1]
        yield Way(f"http://127.0.0.1:{port}", {"authorization": "Bearer abc"}, None, None)
