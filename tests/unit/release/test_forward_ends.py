"""What a connection through a tunnel hears when one side has said its last."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from nuages.release.dev import ways

pytestmark = pytest.mark.unit


class Pod:
    """Answers when nothing more is asked."""

    def __init__(self) -> None:
        self.heard = b""
        self.over = asyncio.Event()

    async def send(self, data):
        self.heard += data
        self.over.set()

    async def __aiter__(self):
        await self.over.wait()
        for _ in range(100):  # whoever passes bytes on sees the end of the question first
            await asyncio.sleep(0)
        yield b"you said " + self.heard


async def test_an_answer_comes_though_the_question_has_ended():
    pod = Pod()

    class Cluster:
        @asynccontextmanager
        async def tunnel(self, namespace, name, port):
            yield pod

    port = await ways.free(18000)
    async with ways.way(Cluster(), "blog-local", lambda: "blog-dev-ada", 8000, port):
        reader, writer = await asyncio.open_connection(ways.HERE, port)
        writer.write(b"hello")
        writer.write_eof()
        assert await reader.read() == b"you said hello"
        writer.close()
        await writer.wait_closed()
