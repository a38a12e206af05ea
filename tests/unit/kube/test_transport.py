"""What is repeated, what is not, and how long a dead server is waited for. The server here speaks just HTTP."""

import asyncio
import contextlib
import gc
import json
import socket
import time

import pytest

from nuages.errors import Unreachable
from nuages.kube.client import Cluster

KUBECONFIG = """
current-context: somewhere
clusters: [{{name: c, cluster: {{server: "{server}"}}}}]
users: [{{name: u, user: {{token: t0ken}}}}]
contexts: [{{name: somewhere, context: {{cluster: c, user: u}}}}]
"""


@pytest.fixture
def connect(tmp_path):
    """A client of a server at this URL."""

    def connected(server: str) -> Cluster:
        (tmp_path / "config").write_text(KUBECONFIG.format(server=server))
        return Cluster.connect(tmp_path / "config")

    return connected


@contextlib.asynccontextmanager
async def answering(*answers: bytes | None):
    """A server that gives these answers in turn (None: it hangs up); yields its URL and the requests it got."""
    left, requests, writers = list(answers), [], []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = [line for line in head.lower().splitlines() if line.startswith("content-length:")]
                await reader.readexactly(int(length[0].split(":")[1]) if length else 0)
                requests.append(head.splitlines()[0])
                answer = left.pop(0)
                if answer is None:
                    break
                writer.write(answer)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}", requests
    finally:
        server.close()
        for writer in writers:
            writer.close()
            await writer.wait_closed()


def answer(code: int, body: object, headers: str = "") -> bytes:
    content = json.dumps(body).encode()
    return f"HTTP/1.1 {code} X\r\nContent-Length: {len(content)}\r\n{headers}\r\n".encode() + content


BUSY = answer(429, {"kind": "Status", "message": "later"}, "Retry-After: 0\r\n")
DOWN = answer(503, {"kind": "Status", "message": "not now"})
GOOD = answer(200, {"gitVersion": "v1.34.10", "metadata": {"name": "a"}})
CONFIG_MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "b"}}


async def test_a_server_that_refuses_connections_is_told_within_two_seconds(connect):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        async with connect(f"http://127.0.0.1:{unused.getsockname()[1]}") as cluster:
            begun = time.monotonic()
            with pytest.raises(Unreachable) as dead:
                await cluster.version()
    assert time.monotonic() - begun < 10, "fifteen seconds are what a server has that answered before"
    assert "127.0.0.1" in dead.value.message
    assert "context somewhere" in dead.value.message
    assert "t0ken" not in f"{dead.value.message} {dead.value.hint}"


async def test_a_server_that_accepts_and_says_nothing_is_told_long_before_one_that_answers_is_given_up(connect):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        async with connect(f"https://127.0.0.1:{silent.getsockname()[1]}") as cluster:
            begun = time.monotonic()
            with pytest.raises(Unreachable):
                await cluster.version()
    assert time.monotonic() - begun < 10


async def test_a_server_that_says_later_is_asked_again(connect):
    async with answering(BUSY, DOWN, GOOD) as (url, requests), connect(url) as cluster:
        assert await cluster.version() == "v1.34.10"
    assert len(requests) == 3


async def test_a_list_of_metrics_has_no_version_and_may_have_nothing(connect):
    """As metrics-server answers: its objects are stored nowhere, and an empty Go slice is null."""
    usage = {"metadata": {"name": "a"}, "containers": []}
    first, none = answer(200, {"metadata": {}, "items": [usage]}), answer(200, {"metadata": {}, "items": None})
    async with answering(first, none) as (url, _), connect(url) as cluster:
        assert [item["kind"] for item in (await cluster.list("PodMetrics", "blog")).items] == ["PodMetrics"]
        assert (await cluster.list("PodMetrics", "blog")) == ([], "")


async def test_a_server_that_goes_on_saying_later_is_given_up(connect):
    async with answering(*[BUSY] * 9) as (url, requests), connect(url) as cluster:
        with pytest.raises(Unreachable, match="later"):
            await cluster.version()
    assert len(requests) == 5


async def test_an_apply_whose_connection_was_lost_is_sent_again(connect):
    async with answering(None, GOOD) as (url, requests), connect(url) as cluster:
        await cluster.apply(CONFIG_MAP)
    assert len(requests) == 2


async def test_a_create_whose_connection_was_lost_is_not_sent_again(connect):
    async with answering(None, GOOD) as (url, requests), connect(url) as cluster:
        with pytest.raises(Unreachable):
            await cluster.create(CONFIG_MAP)
    assert len(requests) == 1


async def test_a_create_that_was_not_let_in_is_sent_again(connect):
    async with answering(BUSY, GOOD) as (url, requests), connect(url) as cluster:
        await cluster.create(CONFIG_MAP)
    assert len(requests) == 2


async def test_a_connection_given_up_amid_its_handshake_is_closed(connect):
    greeted, ended = asyncio.Event(), asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        greeted.set()
        await reader.read()  # until the end, which only a closed connection brings
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()  # before the loop ends, or its socket is closed by whoever collects it
        ended.set()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server, connect(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}") as cluster:
        asking = asyncio.create_task(cluster.get("ConfigMap", "b", "a"))
        await greeted.wait()
        gc.disable()  # what is lost would be closed by it, at some other time and with a warning
        try:
            asking.cancel()
            await asyncio.wait([asking])
            async with asyncio.timeout(60):
                await ended.wait()
        finally:
            gc.enable()


async def test_until_a_server_answered_it_is_asked_one_thing_at_a_time(connect):
    asked, may, serving = asyncio.Queue(), asyncio.Event(), []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append(asyncio.current_task())
        with contextlib.suppress(asyncio.IncompleteReadError):
            while await reader.readuntil(b"\r\n\r\n"):
                asked.put_nowait(1)
                await may.wait()
                writer.write(GOOD)
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        async with connect(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}") as cluster:
            asking = asyncio.gather(*(cluster.version() for _ in range(5)))
            await asked.get()
            for _ in range(100):
                await asyncio.sleep(0)
            assert asked.empty()
            may.set()
            assert await asking == ["v1.34.10"] * 5
    finally:
        server.close()
        await asyncio.gather(*serving)
