"""Between a person's terminal, or a pipe, and a program in a container: bytes in, bytes out, until one side ends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Protocol

from nuages.kube.channels import ERRORS, OUTPUT
from nuages.kube.streams import Stream
from nuages.render.run import GO, READY, START

ALONE = 1.5
"""Seconds after which a program that writes no READY counts as started: a launcher repeats it each second."""

PART = 1 << 18
"""Bytes that are sent at once of what is piped in."""


class Here(Protocol):
    """The side of the person: what is typed or piped in, where output goes, and how large the terminal is."""

    tty: bool

    def typed(self) -> AsyncIterator[bytes]:
        """What comes in; ends with the pipe, raises Detached where a person asks to leave."""

    def show(self, channel: int, data: bytes) -> None:
        """Write to standard output or, for channel 2, standard error."""

    def connected(self, tell: Callable[[int, int], None]) -> contextlib.AbstractContextManager[None]:
        """For the body each key of a terminal goes to the program; `tell` hears columns and rows, and each change."""


class Pipe:
    """In the place of a person: it types what it is given, and keeps what a command writes."""

    tty = False

    def __init__(self, given: bytes = b"") -> None:
        """Nothing heard so far."""
        self._given = given
        self._heard: dict[int, list[bytes]] = {OUTPUT: [], ERRORS: []}

    @property
    def output(self) -> bytes:
        """What it wrote to standard output."""
        return b"".join(self._heard[OUTPUT])

    @property
    def errors(self) -> str:
        """What it wrote to standard error, as text."""
        return b"".join(self._heard[ERRORS]).decode(errors="replace").strip()

    async def typed(self) -> AsyncIterator[bytes]:
        """What it was given, in parts that a connection takes."""
        for at in range(0, len(self._given), PART):
            yield self._given[at : at + PART]

    def show(self, channel: int, data: bytes) -> None:
        """Keep both apart."""
        self._heard[OUTPUT if channel == OUTPUT else ERRORS].append(data)

    @contextlib.contextmanager
    def connected(self, tell: Callable[[int, int], None]) -> Iterator[None]:
        """It is no terminal that could change its size."""
        yield


class Ending:
    """Finds the launcher's last word in what a stream brings: GO, its token, the exit code. The rest is the command's.

    Pure; a word that arrives in parts is held back until it is whole.
    """

    def __init__(self, token: str) -> None:
        """Nothing heard so far."""
        self._word = GO + token.encode() + b":"
        self._held = b""
        self.code: int | None = None

    def passed(self, data: bytes) -> bytes:
        """What of it the command wrote."""
        data = self._held + data
        before, found, after = data.partition(self._word)
        if found:
            code, whole, _ = after.partition(b";")
            self._held = b"" if whole else found + after
            self.code = int(code) if whole else None
            return before
        part = next((n for n in range(len(self._word) - 1, 0, -1) if data.endswith(self._word[:n])), 0)
        self._held = data[len(data) - part :]
        return data[: len(data) - part]

    def rest(self) -> bytes:
        """What was held back, and was no word: the stream has ended."""
        held, self._held = self._held, b""
        return held


async def converse(stream: Stream, here: Here, token: str | None) -> int | None:
    """Pass bytes both ways until the command ends; answers its exit code, None where only its streams have ended.

    `token` is its launcher's; None where it has none, and runs already.

    Raises:
        Detached: the person left.
        ClusterError: the connection was lost, or the cluster ended it.
    """
    started = asyncio.Event()
    if token is None:
        started.set()
    sizes: asyncio.Queue[tuple[int, int]] = asyncio.Queue()
    with here.connected(lambda columns, rows: sizes.put_nowait((columns, rows))):
        output = _shown(stream, here) if token is None else _output(stream, here, started, token)
        main = asyncio.create_task(output)
        others = {asyncio.create_task(_input(stream, here, started)), asyncio.create_task(_sizes(stream, sizes))}
        try:
            left: set[asyncio.Task[None]] | set[asyncio.Task[int | None]] = others
            while not main.done():
                await asyncio.wait({main, *left}, return_when=asyncio.FIRST_COMPLETED)
                for task in [task for task in left if task.done()]:
                    task.result()
                left = {task for task in left if not task.done()}
            return main.result()
        finally:
            for task in (main, *others):
                task.cancel()
            await asyncio.gather(main, *others, return_exceptions=True)


async def _shown(stream: Stream, here: Here) -> int | None:
    """Show what a command writes that runs already; the connection tells how it ends."""
    async for channel, data in stream:
        here.show(channel, data)
    return stream.exit_code


async def _output(stream: Stream, here: Here, started: asyncio.Event, token: str) -> int | None:
    """Show what the command writes; a launcher that says READY is told to start it, and says GO when it does."""
    launching = True
    endings = {channel: Ending(token) for channel in ((OUTPUT,) if here.tty else (OUTPUT, ERRORS))}
    async for channel, data in stream:
        shown = data
        if launching and channel == OUTPUT:
            shown = data.lstrip(READY)
            if shown != data and not started.is_set():
                await stream.send(START)
            launching = not shown
            if shown.startswith(GO) and not shown.startswith(GO + token.encode()):
                shown = shown.removeprefix(GO)
        started.set()
        if shown := endings[channel].passed(shown):
            here.show(channel, shown)
        codes = [ending.code for ending in endings.values()]
        if None not in codes:
            return codes[0]
    for channel, ending in endings.items():
        if rest := ending.rest():
            here.show(channel, rest)
    return None


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
