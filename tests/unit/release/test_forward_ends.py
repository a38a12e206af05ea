"""What a connection through a tunnel hears when one side has said its last."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from nuages.errors import CommandFailed, UsageError
from nuages.release import ways

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

    @asynccontextmanager
    async def dig():
        yield pod

    async with ways.way([0], dig, print, hint="", asked_first=True) as port:
        reader, writer = await asyncio.open_connection(ways.HERE, port)
        writer.write(b"hello")
        writer.write_eof()
        assert await reader.read() == b"you said hello"
        writer.close()
        await writer.wait_closed()


async def test_a_connection_that_finds_no_pod_ends_and_why_is_told():
    told = []

    @asynccontextmanager
    async def dig():
        raise CommandFailed("no pod of web is ready")
        yield

    async with ways.way([0], dig, told.append, hint="") as port:
        reader, writer = await asyncio.open_connection(ways.HERE, port)
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
    assert [error.message for error in told] == ["no pod of web is ready"]


async def test_of_several_ports_the_first_that_is_free_is_taken():
    async with ways.way([0], None, print, hint="") as taken:
        async with ways.way([taken, 0], None, print, hint="") as other:
            assert other != taken
        with pytest.raises(UsageError, match=f"port {taken} of this machine is taken") as refused:
            async with ways.way([taken], None, print, hint="--port names another one"):
                pass
        assert refused.value.hint == "--port names another one"
