"""What lies beside the app's database on its server, and goes by its name alone.

A restore and a copy keep the database that served, for the way back; no later one drops it, since nobody but a person
knows what was written to it last.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from nuages.app.components import App
from nuages.errors import UsageError
from nuages.kube.client import Cluster
from nuages.progress import Sink, step
from nuages.release import audit, records
from nuages.release.begin import held
from nuages.release.keeping import backups
from nuages.release.keeping.jobs import fresh, told, whole
from nuages.release.locks.lock import Wish
from nuages.render import backup
from nuages.render.backup_scripts import DROP


class Freed(msgspec.Struct, frozen=True, kw_only=True):
    """What the Job says at its end."""

    bytes: int


def check(app: App, names: Sequence[str]) -> None:
    """Make sure that none of them is one that somebody needs, before anything is asked.

    Raises:
        Refused: the server is somebody else's.
        UsageError: it is the app's own, or the server's.
    """
    backups.ours(app)
    for name in names:
        if name == app.name:
            raise UsageError(f"{name} is the database that serves", hint="nuages db size names those beside it")
        if name in ("postgres", "template0", "template1"):
            raise UsageError(f"{name} is the server's own", hint="nuages db size names those beside it")


async def drop(app: App, names: Sequence[str], cluster: Cluster, sink: Sink) -> int:
    """Drop them, all or none where one is not there or is connected to; answers how many bytes are free now.

    Raises:
        Refused: see `check`.
        CommandFailed: it can't be done; with what the server says.
    """
    check(app, names)
    command = ("db", "drop", *names)
    async with held(app, cluster, sink, Wish(command=" ".join(command))) as (_, history):
        serving = records.live(history)
        number = serving.record.number if serving else 0
        async with audit.noted(app, command, cluster, release=number):
            with step(sink, f"drop {', '.join(names)}") as shown:
                job = backup.beside(app, fresh(app, "drop"), DROP, *names)
                freed = told(await whole(app, job, cluster, shown.say), Freed).bytes
                shown.note = f"{freed / 1024**2:.0f} MiB"
    return freed
