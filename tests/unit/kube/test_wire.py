"""The streams of a container without asyncio: the same server is heard the same by both ways."""

from __future__ import annotations

import asyncio
import contextlib
import json
import select
import socket
import time
from types import SimpleNamespace

import pytest

from nuages.errors import ClusterError, Rejected, Unreachable
from nuages.kube import streams, wire
from nuages.kube.channels import FIVE, FOUR
from nuages.kube.config import Access
from nuages.kube.failures import Asked
from nuages.kube.glance import Glance

from .talking import talking

pytestmark = pytest.mark.unit
ASKED = Asked("run a command in", "Pod", "blog-web-main-x7k2p", "blog-local")
PATIENCE = 60


@contextlib.contextmanager
def wired(way):
    """A connection of ours to such a server."""
    with contextlib.ExitStack() as held:
        host, _, port = way.url.partition("://")[2].partition(":")
        connection = held.enter_context(socket.create_connection((host, int(port)), PATIENCE))
        stream = held.enter_context(connection.makefile("rb"))
        questions = Glance(connection, stream, Access("x", {"server": way.url}, {}), "Authorization: Bearer abc\r\n")
        yield wire.opened(questions, "/exec", [("command", "sh"), ("command", "-c"), ("command", "a b&c")], ASKED)


def heard(way, typed=()):
    """All that comes, after something was typed; and the exit code."""
    with wired(way) as found:
        for one in typed:
            one(found)
        told, until = [], time.monotonic() + PATIENCE
        while not found.ended:
            found.flush()
            assert time.monotonic() < until
            select.select([found], [found] if found.waiting else [], [], 0 if found.came else 1)
            told += found.heard()
        found.flush()
        return told, found.exit_code


async def heard_by_asyncio(way):
    async with streams.opened(way, "/exec", [], ASKED) as stream:
        return [found async for found in stream], stream.exit_code


def told_by(error):
    return type(error), getattr(error, "message", ""), getattr(error, "hint", "")


STORIES = {
    "done": [b"\x01", b"\x01hello", b"\x02oops", b'\x03{"status":"Success"}'],
    "failed": [
        b"\x01out",
        b'\x03{"status":"Failure","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"7"}]}}',
    ],
    "no such program": [b'\x03{"status":"Failure","message":"exec failed: executable file not found in $PATH"}'],
    "not said": [b"\x01out"],
    "gone": [b'\x03{"kind":"Status","status":"Failure","code":404,"message":"container not found"}'],
    "much": [b"\x01" + bytes(range(256)) * 4000] * 3 + [b'\x03{"status":"Success"}'],
}


@pytest.mark.parametrize("said", STORIES.values(), ids=STORIES)
@pytest.mark.parametrize("protocol", [FIVE, FOUR])
async def test_both_ways_hear_the_same(said, protocol):
    async def story(connection):
        for message in said:
            await connection.send(message)

    async with talking(story, protocol) as way:
        ours, theirs = await asyncio.gather(
            asyncio.to_thread(heard, way), heard_by_asyncio(way), return_exceptions=True
        )
    if isinstance(theirs, ClusterError):
        assert told_by(ours) == told_by(theirs)
    else:
        assert ours == theirs


@pytest.mark.parametrize("code", [400, 401, 403, 404, 500, 302])
async def test_a_refusal_is_the_same_error_by_both_ways(code):
    def refuse(connection, request):
        return connection.respond(code, json.dumps({"kind": "Status", "code": code, "message": 'pods "x" not so'}))

    async with talking(None, FIVE, process_request=refuse) as way:
        ours, theirs = await asyncio.gather(
            asyncio.to_thread(heard, way), heard_by_asyncio(way), return_exceptions=True
        )
    assert told_by(ours) == told_by(theirs)


@pytest.mark.parametrize(
    ("protocol", "told"),
    [
        (FIVE, [b"\x00abc", b'\x04{"Width": 91, "Height": 33}', b"\xff\x00"]),
        (FOUR, [b"\x00abc", b'\x04{"Width": 91, "Height": 33}']),
    ],
)
async def test_input_size_and_its_end_are_told_as_the_protocol_allows(protocol, told):
    come = []

    async def story(connection):
        await connection.send(b"\x01ready")
        come.extend([await connection.recv() for _ in told])

    typed = (lambda on: on.send(b"abc"), lambda on: on.resize(91, 33), lambda on: on.close_input())
    async with talking(story, protocol) as way:
        assert await asyncio.to_thread(heard, way, typed) == ([(1, b"ready")], None)
    assert come == told


async def test_the_user_and_the_words_of_the_command_arrive():
    async def story(connection):
        request = connection.request
        await connection.send(b"\x01" + f"{request.path} {request.headers['Authorization']}".encode())

    async with talking(story, FIVE) as way:
        told, _ = await asyncio.to_thread(heard, way)
    assert told == [(1, b"/exec?command=sh&command=-c&command=a%20b%26c Bearer abc")]


async def test_a_program_that_reads_nothing_while_it_writes_much_hangs_nobody():
    """Both sides write more than lies between them before either reads: whoever waits to be read waits for ever."""
    much = bytes(1 << 19)

    async def story(connection):
        for _ in range(16):
            await connection.send(b"\x01" + much)
        sent = 0
        while sent < 8 << 20:
            sent += len(await connection.recv()) - 1
        await connection.send(b'\x03{"status":"Success"}')

    async with talking(story, FIVE) as way:
        way_to = [lambda on: on.send(much)] * 16
        told, code = await asyncio.to_thread(heard, way, way_to)
    assert (sum(len(data) for _, data in told), code) == (8 << 20, 0)


async def test_a_connection_that_breaks_is_not_an_end():
    async def story(connection):
        await connection.send(b"\x01hello")
        connection.transport.abort()

    async with talking(story, FIVE) as way:
        with pytest.raises(Unreachable, match="was lost"):
            await asyncio.to_thread(heard, way)


async def test_a_ping_is_answered():
    async def story(connection):
        await (await connection.ping(b"there?"))
        await connection.send(b'\x03{"status":"Success"}')

    async with talking(story, FIVE) as way:
        assert await asyncio.to_thread(heard, way) == ([], 0)


async def test_who_does_not_answer_for_long_is_lost(monkeypatch):
    async with talking(lambda connection: connection.wait_closed(), FIVE) as way:

        def asked():
            with wired(way) as found:
                now = time.monotonic()
                assert found.keep_alive() <= wire.ALIVE
                assert not found.waiting
                monkeypatch.setattr(wire, "time", SimpleNamespace(monotonic=lambda: now + wire.ALIVE + 1))
                found.keep_alive()
                assert found.waiting  # a ping
                late = now + wire.ALIVE + wire.SILENCE + 3
                monkeypatch.setattr(wire, "time", SimpleNamespace(monotonic=lambda: late))
                with pytest.raises(Unreachable, match="does not answer"):
                    found.keep_alive()

        await asyncio.to_thread(asked)


async def test_a_refusal_that_says_nothing_is_one():
    """As golang.org/x/net/websocket refuses, which the API server speaks: no body, and no length of one."""

    async def refuse(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 403 Forbidden\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        way = streams.Way(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", {}, None, None)
        with pytest.raises(Rejected, match="HTTP 403"):
            await asyncio.to_thread(heard, way)


async def test_another_protocol_is_not_taken():
    def agree(connection, request):
        response = connection.protocol.accept(request)
        response.headers["Sec-WebSocket-Protocol"] = "v1.channel.k8s.io"
        return response

    async with talking(lambda connection: connection.wait_closed(), process_request=agree) as way:
        with pytest.raises(Unreachable, match="something else"):
            await asyncio.to_thread(heard, way)
