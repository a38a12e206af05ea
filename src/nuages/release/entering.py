"""A command in a container that runs already, for when one must: what it takes is taken from what serves there.

Whoever leaves takes it along: a connection that ends says nothing to a program in a container, so it has a mark in its
environment by which it is found and ended.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from nuages.app.components import App
from nuages.errors import ClusterError, CommandFailed, Unreachable
from nuages.kube.client import Cluster
from nuages.release import audit, entrance
from nuages.release.entrance import Place
from nuages.release.leaving import Detached
from nuages.release.session import Here, converse


async def enter(
    app: App, where: Place, command: Sequence[str], cluster: Cluster, here: Here, *, terminal: str = ""
) -> int:
    """Run a command there, attached to it, to its end; answers its exit code. Who did is written down.

    Raises:
        Unreachable: the connection was lost.
        CommandFailed: the container ended meanwhile.
        Detached: the person left; the command was ended.
    """
    mark = entrance.mark()
    async with audit.noted(app, entrance.noted(command), cluster, release=where.release, pod=where.pod) as note:
        note.code = None
        told = entrance.marked(command, mark, terminal)
        try:
            entered = cluster.entered(app.namespace, where.pod, where.container, told, stdin=True, tty=here.tty)
            async with entered as stream:
                note.code = await converse(stream, here, None)
        except Unreachable as lost:
            await _end(app, where, mark, cluster)
            raise Unreachable(lost.message, hint="its pod may have ended: nuages status") from lost
        except (asyncio.CancelledError, Detached, BrokenPipeError):
            await asyncio.shield(_end(app, where, mark, cluster))
            raise
        if note.code is None:
            raise CommandFailed(f"{where.pod} did not say how it ended", hint="its pod may have ended: nuages status")
    return note.code


async def _end(app: App, where: Place, mark: str, cluster: Cluster) -> None:
    """End what was left behind; a container that is gone has taken it along."""
    with contextlib.suppress(ClusterError, TimeoutError):
        async with asyncio.timeout(5):
            for sign in entrance.SIGNS:
                command = entrance.ending(mark, sign)
                entered = cluster.entered(app.namespace, where.pod, where.container, command, stdin=False, tty=False)
                async with entered as stream:
                    async for _ in stream:
                        pass
                await asyncio.sleep(entrance.BETWEEN)
