"""What the pod runs: it keeps the project's files, starts the server anew, and answers who is connected.

One person at a time: whoever comes second is told who is there. Who was lost may come back, and hears what was written
meanwhile; a pod to which nobody comes back ends by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nuages_runtime.dev import frames
from nuages_runtime.dev.files import Tree, restarts
from nuages_runtime.dev.frames import Message
from nuages_runtime.dev.places import FOLDER, INSIDE, PROJECT, SOCKET, TOOLS
from nuages_runtime.dev.relay import Relay
from nuages_runtime.dev.served import Served

_GONE = 30.0  # seconds of silence after which somebody is gone; they say something every five
_LOOK = 1.0
_SERVE = [sys.executable, "-m", "nuages_runtime.dev.serve"]


class Person:
    """Who is connected."""

    def __init__(self, writer: asyncio.StreamWriter, hello: Message) -> None:
        """As they said who they are."""
        self.writer, self.who, self.session = writer, str(hello["hello"]), str(hello["session"])
        self.since = self.heard = time.time()

    def send(self, message: Message, data: bytes = b"") -> None:
        """Without waiting: what somebody slow does not take is little, or theirs."""
        if not self.writer.is_closing():
            self.writer.write(frames.packed(message, data))


class Supervisor:
    """The state of one pod."""

    def __init__(self, root: Path, port: int, idle: float) -> None:
        """Nothing is served before somebody has brought their files."""
        # The project's place is a mount of its own; a file is renamed only within one.
        self._root, self._tree = root, Tree(Path(PROJECT), Path(FOLDER))
        self._tools = Tree(Path(TOOLS), Path(TOOLS).with_suffix(".aside"))
        command = os.environ.get("NUAGES_DEV_COMMAND")
        self._served = Served(["sh", "-c", command] if command else _SERVE, self._tell, self._show)
        self._relay = Relay(self._served, port)
        self._person: Person | None = None
        self._servers: set[asyncio.StreamWriter] = set()
        self._idle, self._last = idle, time.monotonic()
        self._over = asyncio.Event()
        self._debugging = False
        self._debugger_port = 0
        self._commands: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Until it is told to end, or everybody is gone for long."""
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._over.set)
        listening = await asyncio.start_unix_server(self._connected, SOCKET)
        relay = await self._relay.listen()
        serving = asyncio.create_task(self._served.run())
        looking = asyncio.create_task(self._look())
        await self._over.wait()
        for task in (serving, looking):
            task.cancel()
        await self._served.stop()
        listening.close()
        relay.close()

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(_LOOK)
            if self._person and time.time() - self._person.heard > _GONE:
                self._leaves(self._person)
            if self._person is None and time.monotonic() - self._last > self._idle:
                self._over.set()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            hello, _ = await frames.read(reader)
            if "hello" in hello:
                await self._attended(reader, writer, hello)
            else:
                await self._inside(reader, writer, hello)
        writer.close()

    # a person

    async def _attended(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hello: Message) -> None:
        there = self._person
        if there and there.session != hello["session"] and not hello.get("takes"):
            writer.write(frames.packed({"busy": there.who, "since": there.since}))
            await writer.drain()
            return
        if there:
            there.send({"taken": str(hello["hello"])})
            self._leaves(there)
        person = self._person = Person(writer, hello)
        self._welcome(person, int(hello.get("seen", -1)))
        try:
            while self._person is person:
                message, data = await frames.read(reader)
                person.heard = time.time()
                try:
                    self._told(person, message, data)
                except (OSError, ValueError) as error:
                    traceback.print_exc()
                    person.send({"failed": f"{type(error).__name__}: {error}"})
                    return
        finally:
            self._leaves(person)

    def _leaves(self, person: Person) -> None:
        person.writer.close()
        if self._person is person:
            self._person, self._last = None, time.monotonic()
            self._tree.drop()

    def _welcome(self, person: Person, seen: int) -> None:
        """What is here, and what they have not seen."""
        served = self._served
        state = "ready" if served.ready else "ended" if served.code is not None else "starting"
        welcome: Message = {"tree": self._tree.listing(), "tools": self._tools.listing(), "written": served.written}
        welcome |= {"python": sys.version.split()[0], "state": state, "debugger": self._debugger_port}
        person.send({"welcome": welcome})
        if 0 <= seen < served.written:
            person.send({"output": served.written}, bytes(served.kept[-(served.written - seen) :]))

    def _told(self, person: Person, message: Message, data: bytes) -> None:
        match message:
            case {"put": path}:
                where = self._tools if message.get("tool") else self._tree
                link = str(message.get("link", ""))
                where.put(
                    str(path), data, mode=int(message.get("mode", 0o644)), first=bool(message["first"]), link=link
                )
            case {"remove": path}:
                self._tree.remove(str(path))
            case {"commit": number}:
                person.send({"done": number, **self._commit(begins=bool(message.get("begins")))})
            case {"keys": _}:
                self._served.type(data)
            case {"columns": columns, "rows": rows}:
                self._served.resize(int(columns), int(rows))
            case {"restart": _}:
                self._again()
            case {"debugger": port}:
                self._debugger(int(port))
            case {"command": line}:
                task = asyncio.create_task(self._command([str(word) for word in line]))
                self._commands.add(task)
                task.add_done_callback(self._commands.discard)
            case {"bye": _}:
                self._over.set()
            case {"ping": number}:
                person.send({"pong": number})

    def _commit(self, *, begins: bool) -> Message:
        """All that came takes its place; the server starts anew where it knows an older state of it."""
        self._tools.commit()
        changed = self._tree.commit()
        again = begins and not self._served.ready
        if again or any(restarts(path) for path in changed):
            self._again()
            return {"restarts": True}
        for path in changed:
            for writer in self._servers:
                writer.write(frames.packed({"changed": str(self._root / path)}))
        return {"restarts": False}

    def _again(self) -> None:
        self._relay.cut()
        self._debug(on=False)
        self._served.restart()

    async def _command(self, line: list[str]) -> None:
        """A command beside the server, what it writes shown with the rest."""
        process = await asyncio.create_subprocess_exec(
            *line, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        while data := await process.stdout.read(1 << 16):
            self._show(data)
        self._tell({"ran": line, "code": await process.wait()})

    def _debugger(self, port: int) -> None:
        """Let editors attach: to this process, and through it to every server that it starts."""
        self._tools.commit()
        sys.path.append(TOOLS)
        try:
            import debugpy  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415 - brought by the tool

            debugpy.listen(("127.0.0.1", port))
        except Exception as error:
            self._tell({"debugger": 0, "why": f"{type(error).__name__}: {error}"})
        else:
            self._debugger_port = port
            self._tell({"debugger": port})

    # the server, and other processes of the project

    async def _inside(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, message: Message) -> None:
        """What the project's processes tell: `serves` to be told of changes, all else is for the person."""
        if "serves" in message:
            self._servers.add(writer)
        try:
            while True:
                if "debugging" in message:
                    self._debug(on=bool(message["debugging"]))
                elif "serves" not in message:
                    self._tell(message)
                message, _ = await frames.read(reader)
        finally:
            if writer in self._servers:
                self._servers.discard(writer)
                self._debug(on=False)

    def _debug(self, *, on: bool) -> None:
        if on != self._debugging:
            self._debugging = on
            self._tell({"debugging": on})

    def _tell(self, message: dict[str, Any]) -> None:
        if self._person:
            self._person.send(message)

    def _show(self, data: bytes) -> None:
        if self._person:
            self._person.send({"output": self._served.written}, data)


def main(now: Callable[[], str] = os.getcwd) -> int:
    """Serve the project in the current folder at NUAGES_PORT, until its person leaves."""
    port = int(os.environ.get("NUAGES_PORT", "8000"))
    idle = float(os.environ.get("NUAGES_DEV_IDLE", "600"))
    os.environ["NUAGES_PORT"] = os.environ["PORT"] = str(INSIDE)
    Path(SOCKET).unlink(missing_ok=True)
    Path(TOOLS).mkdir(parents=True, exist_ok=True)
    asyncio.run(Supervisor(Path(now()), port, idle).run())
    return 0
