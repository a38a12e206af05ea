"""A command in a container that runs already, for when one must: what it takes is taken from what serves there.

Whoever leaves takes it along: a connection that ends says nothing to a program in a container, so it has a mark in its
environment by which it is found and ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Sequence
from typing import NamedTuple

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.errors import ClusterError, CommandFailed, Unreachable
from nuages.kube.client import Cluster
from nuages.release import audit, named
from nuages.release.session import Detached, Here, converse

MARK = "NUAGES_EXEC"
SHELL = ("sh", "-c", "command -v bash >/dev/null && exec bash || exec sh")
"""What somebody wants who says no command."""

END = """\
for one in /proc/[0-9]*; do
  tr "\\0" "\\n" <"$one/environ" 2>/dev/null | grep -qx "$1" && kill -"$2" "${one#/proc/}"
done
true
"""
"""Ends every process that has the mark in its environment; a script for sh, which needs no ps."""


class Place(NamedTuple):
    """A container that runs."""

    pod: str
    container: str
    release: int
    """Of the release that its pod shows; 0 where it shows none."""
    serves: bool
    """Whether it is one of the app's own, which answers requests or works tasks off."""


def place(pod: Object, container: str = "") -> Place:
    """Where in a pod a command runs.

    Raises:
        CommandFailed: it has no container of that name.
    """
    wanted = container or named.container(pod)
    found = {one["name"]: one for one in pod["spec"]["containers"]}
    if wanted not in found:
        about = f"{pod['metadata']['name']} has no container {wanted}"
        raise CommandFailed(about, hint=f"it has {', '.join(found)}")
    told = {variable["name"]: variable.get("value", "") for variable in found[wanted].get("env", ())}
    release = told.get("NUAGES_RELEASE", "")
    serves = named.of(pod).component in named.SERVING
    return Place(pod["metadata"]["name"], wanted, int(release) if release.isdigit() else 0, serves)


async def enter(
    app: App, where: Place, command: Sequence[str], cluster: Cluster, here: Here, *, terminal: str = ""
) -> int:
    """Run a command there, attached to it, to its end; answers its exit code. Who did is written down.

    Raises:
        Unreachable: the connection was lost.
        CommandFailed: the container ended meanwhile.
        Detached: the person left; the command was ended.
    """
    mark = f"{MARK}={secrets.token_hex(8)}"
    wanted = tuple(command) or SHELL
    async with audit.noted(app, tuple(command) or ("sh",), cluster, release=where.release, pod=where.pod) as note:
        note.code = None
        told = ("env", *((f"TERM={terminal}",) if terminal else ()), mark, *wanted)
        try:
            entered = cluster.entered(app.namespace, where.pod, where.container, told, stdin=True, tty=here.tty)
            async with entered as stream:
                note.code = await converse(stream, here, None)
        except Unreachable as lost:
            await _end(app, where, mark, cluster)
            raise Unreachable(lost.message, hint="its pod may have ended: nuages status") from lost
        except (asyncio.CancelledError, Detached):
            await asyncio.shield(_end(app, where, mark, cluster))
            raise
        if note.code is None:
            raise CommandFailed(f"{where.pod} did not say how it ended", hint="its pod may have ended: nuages status")
    return note.code


async def _end(app: App, where: Place, mark: str, cluster: Cluster) -> None:
    """End what was left behind; a container that is gone has taken it along."""
    with contextlib.suppress(ClusterError, TimeoutError):
        async with asyncio.timeout(5):
            for sign in ("TERM", "KILL"):
                command = ("sh", "-c", END, "sh", mark, sign)
                entered = cluster.entered(app.namespace, where.pod, where.container, command, stdin=False, tty=False)
                async with entered as stream:
                    async for _ in stream:
                        pass
                await asyncio.sleep(0.3)
