"""Ports of this machine that lead into a pod, for as long as somebody wants them: through its replacement, too.

A connection is made to a pod that is ready at that moment: the same one as long as it is there. What was connected to a
pod that went has to connect again; the port here stays. Who opened it is written down.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from typing import NamedTuple

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.errors import ClusterError, CommandFailed, NuagesError, UsageError
from nuages.kube.client import Cluster
from nuages.kube.forward import Tunnel
from nuages.kube.watch import Mirror
from nuages.release import audit, entrance, named
from nuages.release.ways import way
from nuages.render.labels import instance

PATIENCE = 30.0
"""Seconds that a connection waits for a pod that is ready."""


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
        pods = _Pods(app, name, cluster, mirror, say)
        first = pods.now()
        opened = []
        for one in ports:
            remote = port_of(first, one.remote)
            here = (remote, 0) if one.local is None else (one.local,)
            hint = f"nuages port-forward … :{remote}"
            failed = lambda error, port=remote: say(_short(error, port))  # noqa: E731
            local = await stack.enter_async_context(way(here, partial(pods.tunnel, remote), failed, hint=hint))
            opened.append(Open(local, first["metadata"]["name"], remote))
        await stack.enter_async_context(_noted(app, name, opened, first, cluster))
        yield opened


@contextlib.asynccontextmanager
async def _noted(app: App, name: str, opened: Sequence[Open], pod: Object, cluster: Cluster) -> AsyncIterator[None]:
    """Write down who opens which ports there, and for how long; that somebody leaves is how it ends."""
    command = ("port-forward", name, *(f"{one.local}:{one.remote}" for one in opened))
    where = entrance.place(pod)
    left: asyncio.CancelledError | None = None
    async with audit.noted(app, command, cluster, release=where.release, pod=where.pod):
        try:
            yield
        except asyncio.CancelledError as error:
            left = error
    if left:
        raise left


class _Pods:
    """Where connections go now."""

    def __init__(self, app: App, name: str, cluster: Cluster, mirror: Mirror, say: Callable[[str], None]) -> None:
        self._app, self._name, self._cluster, self._mirror, self._say = app, name, cluster, mirror, say
        self._pod = ""

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

    @contextlib.asynccontextmanager
    async def tunnel(self, port: int) -> AsyncIterator[Tunnel]:
        """A connection to a port of a pod that is ready."""
        async with self._cluster.tunnel(self._app.namespace, await self.ready(), port) as tunnel:
            yield tunnel


def _short(error: NuagesError, port: int) -> str:
    """What the node says of a port on which nothing listens is long, and says it three times."""
    if isinstance(error, ClusterError) and "connection refused" in error.message:
        return f"nothing listens on port {port} there"
    return error.message
