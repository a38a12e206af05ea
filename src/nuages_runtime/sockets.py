"""Websockets of a pod that ends: closed with 1001 ("going away"), so that clients come back at once, to another pod.

A server that stops closes them with 1012, or not at all, or waits for them until the pod is killed; and browsers' code
looks at the number: 1001 is what a page that is left, or a server that goes down, is said to send (RFC 6455, 7.4.1).

They are closed a few at a time, over the first half of the draining, so that the other pods are not asked by all
clients in one moment. The project hears what it hears when a client goes, from here: what the client answers may come
when the server has ended already. With granian it may hear nothing, whose sending ends with the client's answer; and
on a busy machine granian cuts some connections off without a code.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from nuages_runtime import drain

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

GOING_AWAY = 1001
LOOK = 0.1
"""Seconds between two looks whether the pod ends, while a websocket is open."""


class _Socket:
    """One that is open."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._gone = asyncio.get_running_loop().create_future()
        self._asked: asyncio.Future[Message] | None = None
        self.accepted = self.ended = False

    async def receive(self) -> Message:
        """What the client says, or that it went, once it was closed from here."""
        self._asked = self._asked or asyncio.ensure_future(self._receive())
        await asyncio.wait({self._asked, self._gone}, return_when=asyncio.FIRST_COMPLETED)
        if not self._asked.done():
            return {"type": "websocket.disconnect", "code": GOING_AWAY, "reason": "going away"}
        asked, self._asked = self._asked, None
        return asked.result()

    def leave(self) -> None:
        """The project is done with it."""
        if self._asked:
            self._asked.cancel()

    async def send(self, message: Message) -> None:
        """Send what the project sends, until the end; whatever it says after that has nobody to hear it."""
        if self.ended:
            return
        kind = message["type"]
        if kind in {"websocket.close", "websocket.http.response.start"}:
            self.ended = kind == "websocket.close"
        await self._send(message)
        if kind == "websocket.accept":
            self.accepted = True

    async def go(self) -> None:
        """Close it; one that is not open yet is the client's to try again."""
        if self.accepted and not self.ended:
            self.ended = True
            with contextlib.suppress(Exception):  # it went by itself, in the server's own words
                await self._send({"type": "websocket.close", "code": GOING_AWAY, "reason": "going away"})
            self._gone.set_result(None)


def closing(project: Application) -> Application:
    """The application, whose websockets are closed when the pod drains."""
    sockets: set[_Socket] = set()
    watching: asyncio.Task[None] | None = None

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal watching
        if scope["type"] != "websocket":
            await project(scope, receive, send)
            return
        socket = _Socket(receive, send)
        sockets.add(socket)
        if watching is None or watching.done():
            watching = asyncio.create_task(_watch(sockets))
        try:
            await project(scope, socket.receive, socket.send)
        finally:
            sockets.discard(socket)
            socket.leave()

    return application


async def _watch(sockets: set[_Socket]) -> None:
    """Until none is open: look, and close them all when the pod ends, those too that are opened from then on."""
    while sockets:
        if drain.draining() and (there := [each for each in sockets if each.accepted and not each.ended]):
            pause = min(0.01, drain.SECONDS / 2 / len(there))
            closing = set()
            for socket in there:
                closing.add(asyncio.create_task(socket.go()))
                await asyncio.sleep(pause)
            # A client that does not answer is not waited for by the others.
            await asyncio.wait(closing, timeout=drain.SECONDS / 2)
        await asyncio.sleep(LOOK)
