"""Ports of this machine that lead into a pod, for as long as somebody wants them: through its replacement, too.

Each connection is one of its own, made to a pod that is ready at that moment: the same one as long as it is there. What
was connected to a pod that went has to connect again; the port here stays. Who opened it is written down.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from typing import NamedTuple

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.errors import ClusterError, CommandFailed, NuagesError, UsageError
from nuages.kube.client import Cluster
from nuages.kube.forward import Tunnel
from nuages.kube.watch import Mirror
from nuages.release import audit, entering, named
from nuages.render.labels import instance

CHUNK = 64 * 1024
PATIENCE = 30.0
"""Seconds that a connection waits for a pod that is ready."""

LINGER = 10.0
"""Seconds that an answer may take to go on once the client has said its last: that it has can't be passed on."""

HERE = "127.0.0.1"


class Wanted(NamedTuple):
    """One port."""

    local: int | None
    """Here; 0 any that is free, None the same as there if that is free."""
    remote: str
    """There: a number or a name; empty for the first that there is."""


class Open(NamedTuple):
    """One port that is open."""

    local: int
    pod: str
    remote: int


def wanted(written: str) -> Wanted:
    """`5432`, `15432:5432`, `:5432` for any here, `8000:http`.

    Raises:
        UsageError: it is none of these.
    """
    local, colon, remote = written.rpartition(":")
    if (local and not local.isdigit()) or not remote or (remote.isdigit() and not 0 < int(remote) < 65536):
        raise UsageError(f"{written} is no port", hint="write 5432, 15432:5432, or :5432 for any that is free here")
    if local and int(local) > 65535:
        raise UsageError(f"{local} is no port", hint="ports go up to 65535")
    return Wanted(int(local or 0) if colon else None, remote)


def port_of(pod: Object, asked: str) -> int:
    """The number of a pod's port: what was said, by its name, or the first.

    Raises:
        UsageError: it has none of that name, or none at all.
    """
    if asked.isdigit():
        return int(asked)
    first = named.container(pod)
    containers = sorted(pod["spec"]["containers"], key=lambda one: one["name"] != first)
    ports = [port for one in containers for port in one.get("ports", ())]
    found = next((port for port in ports if not asked or port.get("name") == asked), None)
    if found is None:
        known = ", ".join(f"{port.get('name', '')} {port['containerPort']}".strip() for port in ports)
        about = f"{pod['metadata']['name']} has no port {asked}".rstrip()
        raise UsageError(about, hint=f"it has {known}" if known else "say its number")
    return int(found["containerPort"])


@contextlib.asynccontextmanager
async def forwarded(
    app: App, name: str, ports: Sequence[Wanted], cluster: Cluster, say: Callable[[str], None]
) -> AsyncIterator[list[Open]]:
    """Listen on this machine for the body; yields what leads where.

    Raises:
        UsageError: no such component, pod or port; or a port here is taken.
        CommandFailed: none of its pods runs.
    """
    async with contextlib.AsyncExitStack() as stack:
        mirror = await stack.enter_async_context(Mirror(cluster, app.namespace, ("Pod",), instance(app)))
        way = _Way(app, name, cluster, mirror, say)
        first = way.now()
        opened = []
        for one in ports:
            remote = port_of(first, one.remote)
            listens = _listening(one.local, remote)
            server = await asyncio.start_server(way.serving(remote), sock=listens)
            stack.push_async_callback(way.closed, server)
            opened.append(Open(listens.getsockname()[1], first["metadata"]["name"], remote))
        await stack.enter_async_context(_noted(app, name, opened, first, cluster))
        yield opened


@contextlib.asynccontextmanager
async def _noted(app: App, name: str, opened: Sequence[Open], pod: Object, cluster: Cluster) -> AsyncIterator[None]:
    """Write down who opens which ports there, and for how long; that somebody leaves is how it ends."""
    command = ("port-forward", name, *(f"{one.local}:{one.remote}" for one in opened))
    where = entering.place(pod)
    left: asyncio.CancelledError | None = None
    async with audit.noted(app, command, cluster, release=where.release, pod=where.pod):
        try:
            yield
        except asyncio.CancelledError as error:
            left = error
    if left:
        raise left


def _listening(local: int | None, remote: int) -> socket.socket:
    """A socket that listens on this machine only."""
    tries = (remote, 0) if local is None else (local,)
    for port in tries:
        made = socket.socket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            made.bind((HERE, port))
            made.listen(128)
        except OSError as error:
            made.close()
            if port != tries[-1]:
                continue
            what = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be had: {error.strerror}"
            raise UsageError(f"port {port} of this machine {what}", hint=f"nuages port-forward … :{remote}") from error
        made.setblocking(False)
        return made
    raise AssertionError


class _Way:
    """Where connections go now."""

    def __init__(self, app: App, name: str, cluster: Cluster, mirror: Mirror, say: Callable[[str], None]) -> None:
        self._app, self._name, self._cluster, self._mirror, self._say = app, name, cluster, mirror, say
        self._pod = ""
        self._tasks: set[asyncio.Task[None]] = set()

    def now(self) -> Object:
        """The pod that takes connections: the one that did, as long as it is ready."""
        before = self._mirror.get("Pod", self._pod) if self._pod else None
        if before and named.ready(before):
            return before
        found = named.choose(self._app, self._name, list(self._mirror.items("Pod")))
        if self._pod and self._pod != found["metadata"]["name"] and named.ready(found):
            self._say(f"{self._pod} is gone or not ready; {found['metadata']['name']} goes on")
        self._pod = found["metadata"]["name"]
        return found

    async def ready(self) -> str:
        """The name of a pod that is ready, waited for.

        Raises:
            CommandFailed: none got ready in time.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while True:
                    seen = self._mirror.version
                    with contextlib.suppress(CommandFailed):
                        if named.ready(found := self.now()):
                            return str(found["metadata"]["name"])
                    await self._mirror.changed(since=seen)
        raise CommandFailed(f"no pod of {self._name} is ready", hint="nuages status says why")

    def serving(self, port: int) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]:
        """What takes one connection."""

        def taken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.create_task(self._connected(port, reader, writer))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        return taken

    async def closed(self, server: asyncio.Server) -> None:
        """End what listens, and what is connected."""
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            pod = await self.ready()
            async with self._cluster.tunnel(self._app.namespace, pod, port) as tunnel:
                await both(tunnel, reader, writer)
        except NuagesError as error:
            self._say(_short(error, port))
        except OSError:
            pass  # the client is gone
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


async def both(tunnel: Tunnel, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass bytes both ways until the pod has said its last, or the client is gone."""
    heard = asyncio.Event()

    async def out() -> None:
        while data := await reader.read(CHUNK):
            await tunnel.send(data)
        while True:  # it may have closed, or only said its last: an answer that goes on is passed on
            heard.clear()
            async with asyncio.timeout(LINGER):
                await heard.wait()

    async def back() -> None:
        async for data in tunnel:
            heard.set()
            writer.write(data)
            await writer.drain()

    tasks = [asyncio.create_task(out()), asyncio.create_task(back())]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            with contextlib.suppress(TimeoutError):
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _short(error: NuagesError, port: int) -> str:
    """What the node says of a port on which nothing listens is long, and says it three times."""
    if isinstance(error, ClusterError) and "connection refused" in error.message:
        return f"nothing listens on port {port} there"
    return error.message
