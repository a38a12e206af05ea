"""Websockets of a pod that ends, with the servers that bring their own; uvicorn's are tried on the node."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from textwrap import indent

import pytest
import shop
from environments import Environment
from test_serve import NEWEST, served
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

pytestmark = pytest.mark.runtime

ECHO = """
from django.core.asgi import get_asgi_application

pages = get_asgi_application()


async def application(scope, receive, send):
    if scope["type"] != "websocket":
        await pages(scope, receive, send)
        return
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": "you said " + message["text"]})
    print("heard", message["code"], flush=True)
    await send({"type": "websocket.send", "text": "nobody hears that"})
"""


@pytest.mark.parametrize("server", ["granian", "gunicorn"])
def test_when_a_pod_ends_websockets_are_told_that_it_goes_away(
    environments: Callable[[str], Environment], tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(shop.FILES, "shop/asgi.py", indent(ECHO, " " * 8))
    with (
        served(environments(NEWEST), tmp_path, server, "asgi", NUAGES_GRACEFUL_TIMEOUT="120") as site,
        ExitStack() as stack,
    ):
        address = f"ws://127.0.0.1:{site.port}/ws/"
        opened = [
            stack.enter_context(connect(address, compression=None, proxy=None, open_timeout=60)) for _ in range(20)
        ]
        for socket in opened:
            assert said(socket, "hello") == "you said hello"
        began = time.monotonic()
        site.terminate()
        codes = [ended(socket) for socket in opened]
        took = time.monotonic() - began
        site.wait()
    assert took < 60, "each has its turn, and none waits for the end of the pod"
    # granian cuts some off on a busy machine, and ends before the project hears of those that it closed.
    if server == "granian":
        assert 1001 in codes
        return
    assert set(codes) == {1001}
    heard = [line for line in site.log if line.startswith("heard")]
    assert len(heard) == len(opened), "the project hears that a client went"


def said(socket: ClientConnection, text: str) -> str:
    socket.send(text)
    return str(socket.recv(timeout=60))


def ended(socket: ClientConnection) -> int | None:
    """The code that the server closed a websocket with; None where it only went away."""
    try:
        socket.recv(timeout=60)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None
    return None
