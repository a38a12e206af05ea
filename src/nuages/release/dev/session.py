"""One person's session: files go to the pod as they are saved, what happens there is shown, until they leave.

The connection may be lost and the pod may end: the session goes on with the next one. Only who leaves ends it, and then
nothing of it is left in the cluster.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator
from typing import Protocol

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.errors import ClusterError, CommandFailed, Refused, Unreachable
from nuages.kube.client import Cluster
from nuages.progress import Sink, step
from nuages.release.dev import pods
from nuages.release.dev.frames import Message
from nuages.release.dev.line import Line, opened
from nuages.release.dev.tree import Change, Listing, Project, difference
from nuages.release.dev.watching import changes

_CHUNK = 1 << 20
_PING = 5.0
_SILENT = 20.0  # seconds without an answer after which a connection is taken for lost
_PAUSE, _LONGEST = 0.2, 5.0
_SHORT = 15.0  # seconds: a pod that ends sooner, three times, ends the session


class Here(Protocol):
    """The side of the person."""

    def show(self, data: bytes) -> None:
        """What the server writes."""

    def say(self, line: str, mark: str = "·") -> None:
        """What there is to say, in one line."""

    def debugging(self, on: bool) -> None:
        """Whether a debugger waits for keys."""

    def size(self) -> tuple[int, int]:
        """Columns and rows."""


class Session:
    """What is known between two connections."""

    def __init__(self, app: App, project: Project, pod: Object, cluster: Cluster, *, here: Here, who: str) -> None:
        """Not connected yet."""
        self.app, self.cluster, self.here, self.who = app, cluster, here, who
        self.tools: dict[str, bytes] = {}
        self.debugger = 0
        self.migrates = False
        self.address = ""
        self.watched: frozenset[str] = frozenset()
        """Files whose change asks for another image."""
        self._project, self._pod = project, pod
        self._session = secrets.token_hex(8)
        self._line: Line | None = None
        self._there: dict[str, str] = {}
        self._before: Listing = {}
        self._syncing = asyncio.Lock()
        self._seen = -1
        self._number = 0
        self._waits: tuple[str, float] | None = None
        self._heard = 0.0
        self._done: dict[int, asyncio.Future[Message]] = {}

    @property
    def pod(self) -> str:
        """Its name."""
        return str(self._pod["metadata"]["name"])

    # the pod and the connection

    @contextlib.asynccontextmanager
    async def standing(self, sink: Sink, *, takes: bool) -> AsyncIterator[None]:
        """A pod with what is here in it, for the body; none afterwards.

        Raises:
            Refused: somebody is in it, who is named.
            CommandFailed: it cannot start.
        """
        ours = False
        try:
            with step(sink, f"start {self.pod}") as shown:
                if ours := await self._joined(takes=takes):
                    shown.note = "was there, and goes on"
                else:
                    ours = True
                    await pods.made(self._pod, self.app, self.cluster, shown.say)
                    shown.note = "runs"
            yield
        except Refused:
            raise  # it is somebody else's
        except BaseException:
            if ours:  # before that, nobody has said whose it is
                await asyncio.shield(self._left())
            raise
        await self._left()

    async def hold(self, begun: asyncio.Event) -> None:
        """Be connected, and be so again where that is lost; ends only by an error that no attempt would mend."""
        pause, short = _PAUSE, 0
        while True:
            began = time.monotonic()
            try:
                await self._connected(begun)
            except (ClusterError, Unreachable) as lost:
                self._lose()
                if not isinstance(lost, Unreachable) and "not found" not in lost.message and not begun.is_set():
                    raise
                if begun.is_set() and time.monotonic() - began > _SHORT:
                    pause = _PAUSE
                if pause == _PAUSE:
                    self.here.say(f"{lost.message}; trying again", "!")
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST)
                if await self._ended():
                    short = short + 1 if time.monotonic() - began < _SHORT else 0
                    if short > 2:
                        raise CommandFailed(f"{self.pod} ends again and again", hint="--memory gives it more") from lost
                    await pods.made(self._pod, self.app, self.cluster, lambda _: None)

    async def _joined(self, *, takes: bool) -> bool:
        """Whether a pod of ours is there that nobody else is in, and is what would be made now."""
        live = await self.cluster.get("Pod", self.app.namespace, self.pod)
        if live is None or not pods.runs(live):
            return False
        with contextlib.suppress(CommandFailed):
            async with opened(self.cluster, self.app.namespace, self.pod, self._hello(takes=takes)) as (line, answer):
                if who := answer.get("busy"):
                    since = time.strftime("%H:%M", time.localtime(float(answer["since"])))
                    hint = "nuages dev --take goes on in its place"
                    raise Refused(f"{who} is in {self.pod} already, since {since}", hint=hint)
                if not pods.same(live, self._pod):
                    await line.send({"bye": True})
                    return False
                return True
        return False

    async def _ended(self) -> bool:
        """Whether the pod is no more; why is said."""
        try:
            live = await self.cluster.get("Pod", self.app.namespace, self.pod)
        except ClusterError:
            return False
        why = "somebody removed the pod" if live is None else pods.over(live)
        if why:
            self.here.say(f"{why}; another one starts", "!")
            self._seen = -1
        return bool(why)

    def _hello(self, *, takes: bool = False) -> Message:
        return {"hello": self.who, "session": self._session, "seen": self._seen, "takes": takes}

    async def _connected(self, begun: asyncio.Event) -> None:
        async with opened(self.cluster, self.app.namespace, self.pod, self._hello()) as (line, answer):
            if "welcome" not in answer:
                raise Refused(f"{answer.get('busy', 'somebody else')} is in {self.pod} now")
            self._there = dict(answer["welcome"]["tree"])
            self._line, self._heard = line, time.monotonic()
            await self.resized()
            reading = asyncio.create_task(self._hear(line))
            pinging = asyncio.create_task(self._ping(line))
            try:
                beginning = asyncio.create_task(self._begin(line, answer["welcome"], begun))
                await asyncio.wait({reading, pinging, beginning}, return_when=asyncio.FIRST_COMPLETED)
                if beginning.done():
                    beginning.result()
                    await asyncio.wait({reading, pinging}, return_when=asyncio.FIRST_COMPLETED)
                for task in (reading, pinging):
                    if task.done():
                        task.result()
            finally:
                for task in (reading, pinging, beginning):
                    task.cancel()
                await asyncio.gather(reading, pinging, beginning, return_exceptions=True)

    async def _begin(self, line: Line, welcome: Message, begun: asyncio.Event) -> None:
        """What the pod lacks goes there, all of it, and then the server starts."""
        for path in self.tools:
            if path not in welcome["tools"]:
                await self._put(line, path, self.tools[path], 0o644, tool=True)
        if self.debugger and not welcome["debugger"]:
            await line.send({"debugger": self.debugger})
        await self.sync(begins=True)
        begun.set()

    async def _ping(self, line: Line) -> None:
        while True:
            await asyncio.sleep(_PING)
            await line.send({"ping": self._number})
            if time.monotonic() - self._heard > _SILENT:
                raise Unreachable("the pod does not answer")

    def _lose(self) -> None:
        self._line, self._waits = None, None
        self.here.debugging(False)
        for waiting in self._done.values():
            if not waiting.done():
                waiting.set_exception(Unreachable("the connection was lost"))
                waiting.exception()  # whoever waited may be gone
        self._done.clear()

    async def _left(self) -> None:
        await pods.removed(self.pod, self.app, self.cluster)

    # files

    async def watch(self) -> None:
        """Send what changes, as it changes."""
        async for _ in changes(self._project):
            with contextlib.suppress(ClusterError):  # sent when there is a connection again
                await self.sync()

    async def sync(self, *, begins: bool = False) -> None:
        """Make the pod's files what they are here."""
        async with self._syncing:
            line = self._line
            if line is None:
                return
            began = time.monotonic()
            here = await asyncio.to_thread(self._project.listing)
            ours = self._project.ours(here) if begins else (lambda path: path in self._before)
            change = difference(here, self._there, ours)
            self._asks_for_an_image(here)
            self._before = here
            if change or begins:
                await self._sent(line, here, change, began, begins=begins)

    async def _sent(self, line: Line, here: Listing, change: Change, began: float, *, begins: bool) -> None:
        for path in change.remove:
            await line.send({"remove": path})
        for path in change.put:
            try:
                data, mode, link = await asyncio.to_thread(self._project.read, path)
            except OSError:  # gone since; the next look finds that
                continue
            await self._put(line, path, data, mode, link=link)
        self._number += 1
        number, done = self._number, asyncio.get_running_loop().create_future()
        self._done[number] = done
        await line.send({"commit": number, "begins": begins})
        answer = await asyncio.wait_for(done, 60)
        self._there = {**self._there, **{path: here[path] for path in change.put}}
        for path in change.remove:
            self._there.pop(path, None)
        words = f"{change.words} sent" if change and begins else change.words if change else "nothing to send"
        if answer.get("restarts"):
            self._waits = words, began
        else:
            self.here.say(f"{words}  {_seconds(began)}", "✓")

    async def _put(self, line: Line, path: str, data: bytes, mode: int, *, link: str = "", tool: bool = False) -> None:
        head: Message = {"put": path, "mode": mode, "tool": tool, **({"link": link} if link else {})}
        await line.send({**head, "first": True}, data[:_CHUNK])
        for start in range(_CHUNK, len(data), _CHUNK):
            await line.send({**head, "first": False}, data[start : start + _CHUNK])

    def _asks_for_an_image(self, here: Listing) -> None:
        changed = sorted(path for path in self.watched if self._before and here.get(path) != self._before.get(path))
        if changed:
            said = f"{changed[0]} changed, and the pod has the packages it was built with"
            self.here.say(f"{said}; b builds an image with the new ones", "!")

    # what the person does

    async def keys(self, data: bytes) -> None:
        """Keys for the debugger."""
        await self._send({"keys": True}, data)

    async def resized(self) -> None:
        """The terminal has another size."""
        columns, rows = self.here.size()
        await self._send({"columns": columns, "rows": rows})

    async def restart(self) -> None:
        """The server anew, though nothing changed."""
        self._waits = "restarted", time.monotonic()
        await self._send({"restart": True})

    async def migrate(self) -> None:
        """Apply what the database lacks."""
        await self._send({"command": ["python", "manage.py", "migrate", "--noinput"]})

    async def _send(self, message: Message, data: bytes = b"") -> None:
        if self._line:
            with contextlib.suppress(ClusterError):
                await self._line.send(message, data)

    # what the pod tells

    async def _hear(self, line: Line) -> None:
        while True:
            message, data = await line.read()
            self._heard = time.monotonic()
            await self._told(message, data)

    async def _told(self, message: Message, data: bytes) -> None:
        match message:
            case {"output": written}:
                self._seen = int(written)
                self.here.show(data)
            case {"done": number}:
                if waiting := self._done.pop(int(number), None):
                    waiting.set_result(message)
            case {"state": "ready"}:
                words, began = self._waits or ("the server started", time.monotonic() - float(message["seconds"]))
                self._waits = None
                self.here.say(f"{words}  served after {_seconds(began)}", "✓")
            case {"state": "ended", "code": code}:
                self._waits = None
                self.here.say(f"the server ended (exit {code}); it starts again when a file is saved", "✗")
            case {"debugging": on}:
                self.here.debugging(bool(on))
            case {"lacks": lacks}:
                await self._lacks([str(one) for one in lacks])
            case {"ran": line, "code": code}:
                words = " ".join(line[1:3])
                self.here.say(f"{words}  done" if code == 0 else f"{words}  exit {code}", "✓" if code == 0 else "✗")
            case {"mail": number, "subject": subject, "to": to}:
                self.here.say(f"mail to {', '.join(to)}: {subject}  {self.address}/-/mail/{number}", "@")
            case {"debugger": port}:
                told = f"editors attach at localhost:{port}" if port else f"no debugger: {message.get('why')}"
                self.here.say(told, "·" if port else "✗")
            case {"failed": why}:
                raise CommandFailed(f"the pod could not take a file: {why}")
            case {"taken": who}:
                raise Refused(f"{who} went on in your place, from another nuages dev")

    async def _lacks(self, lacks: list[str]) -> None:
        if not lacks:
            return
        count = "1 migration is" if len(lacks) == 1 else f"{len(lacks)} migrations are"
        named = ", ".join(lacks[:3]) + (", …" if len(lacks) > 3 else "")
        if self.migrates:
            self.here.say(f"{count} not in the database: {named}; applied now", "!")
            await self.migrate()
        else:
            self.here.say(f"{count} not in the database: {named}; m applies it", "!")


def _seconds(began: float) -> str:
    return f"{time.monotonic() - began:.2f} s"
