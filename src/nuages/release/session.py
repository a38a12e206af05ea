"""Between a person's terminal, or a pipe, and a program in a container: bytes in, bytes out, until one side ends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Protocol

from nuages.kube.streams import OUTPUT, Stream
from nuages.render.run import GO, READY, START

ALONE = 1.5
"""Seconds after which a program that writes no READY counts as started: a launcher repeats it each second."""


class Detached(Exception):
    """Whoever was attached left on purpose; the program goes on."""


class Here(Protocol):
    """The side of the person: what is typed or piped in, where output goes, and how large the terminal is."""

    tty: bool

    def typed(self) -> AsyncIterator[bytes]:
        """What comes in; ends with the pipe, raises Detached where a person asks to leave."""

    def show(self, channel: int, data: bytes) -> None:
        """Write to standard output or, for channel 2, standard error."""

    def connected(self, tell: Callable[[int, int], None]) -> contextlib.AbstractContextManager[None]:
        """For the body each key of a terminal goes to the program; `tell` hears columns and rows, and each change."""


async def converse(stream: Stream, here: Here) -> None:
    """Pass bytes both ways until the program's streams end.

    Raises:
        Detached: the person left.
        ClusterError: the connection was lost, or the cluster ended it.
    """
    started = asyncio.Event()
    sizes: asyncio.Queue[tuple[int, int]] = asyncio.Queue()
    with here.connected(lambda columns, rows: sizes.put_nowait((columns, rows))):
        main = asyncio.create_task(_output(stream, here, started))
        tasks = {main, asyncio.create_task(_input(stream, here, started)), asyncio.create_task(_sizes(stream, sizes))}
        try:
            left = tasks
            while not main.done():
                done, left = await asyncio.wait(left, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _output(stream: Stream, here: Here, started: asyncio.Event) -> None:
    """Show what the program writes; a launcher that says READY is told to become it, and says GO when it does."""
    launching = True
    async for channel, data in stream:
        shown = data
        if launching and channel == OUTPUT:
            shown = data.lstrip(READY)
            if shown != data and not started.is_set():
                await stream.send(START)
            launching = not shown
            shown = shown.removeprefix(GO)
        started.set()
        if shown:
            here.show(channel, shown)


async def _input(stream: Stream, here: Here, started: asyncio.Event) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(ALONE):
            await started.wait()
    async for data in here.typed():
        await stream.send(data)
    await stream.close_input()


async def _sizes(stream: Stream, sizes: asyncio.Queue[tuple[int, int]]) -> None:
    while True:
        await stream.resize(*await sizes.get())
