"""Who ran what, and who changed something by hand: one ConfigMap beside the records, one entry for each command, the
newest KEPT of them.

The command line is written down as it was typed, but for what is a secret by its form (redact.py): who may look at the
environment may read it here. Whoever puts another secret into one finds it here.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import string
from collections.abc import AsyncIterator
from datetime import datetime

import msgspec

from nuages.app.components import App
from nuages.errors import ClusterError, NuagesError
from nuages.kube.client import Cluster
from nuages.release import entries, redact
from nuages.release.locks.holder import user
from nuages.release.ran import KEPT, KIND, public, shortened
from nuages.release.world import utc


class Noted:
    """What is to be written down of the end."""

    code: int | None = 0


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """One command that was run beside a release, or in a pod of it, or that changed what runs."""

    schema: int = 1
    id: str = ""
    """What tells it from the others; empty where that is its pod, which it has for itself."""
    pod: str
    """Where it ran; empty where it changed what runs."""
    by: str
    """user@host."""
    command: tuple[str, ...]
    release: int
    """Whose image and configuration it had."""
    started: datetime
    ended: datetime | None = None
    """None while it runs, and where nobody was there to see its end."""
    exit_code: int | None = None
    note: str = ""
    """How it ended, where it was not by itself: `interrupted`."""

    @property
    def key(self) -> str:
        """Under which it is kept."""
        return self.id or self.pod


async def history(app: App, cluster: Cluster) -> list[Ran]:
    """All entries, the newest first."""
    found = [msgspec.json.decode(text, type=Ran) for text in (await entries.read(app, KIND, cluster)).values()]
    return sorted(found, key=lambda ran: (ran.started, ran.pod), reverse=True)


async def write(app: App, ran: Ran, cluster: Cluster) -> None:
    """Write one entry, or its next state; the oldest beyond KEPT go."""
    ran = msgspec.structs.replace(ran, command=shortened(public(ran.command)))
    text = msgspec.json.encode(ran).decode()
    await entries.write(app, KIND, ran.key, text, cluster, newest=_newest, kept=KEPT)


@contextlib.asynccontextmanager
async def noted(
    app: App, command: tuple[str, ...], cluster: Cluster, *, release: int, pod: str = ""
) -> AsyncIterator[Noted]:
    """Write down who does something, before and after it is done: an entry that has no end was cut off."""
    letters = "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(8))
    told = Ran(id=f"{app.name}-{letters}", pod=pod, by=user(), command=command, release=release, started=utc())
    await write(app, told, cluster)
    how = Noted()
    try:
        yield how
    except BaseException as error:
        note = error.message if isinstance(error, NuagesError) else "interrupted"
        with contextlib.suppress(ClusterError):
            ended = end(app, told.id, cluster, at=utc(), exit_code=how.code, note=redact.text(note))
            await asyncio.shield(ended)
        raise
    await end(app, told.id, cluster, at=utc(), exit_code=how.code)


async def end(app: App, key: str, cluster: Cluster, *, at: datetime, exit_code: int | None, note: str = "") -> None:
    """Write down how one ended; one that is not known, or is known to have ended, stays as it is."""
    found = next((ran for ran in await history(app, cluster) if ran.key == key), None)
    if found and found.ended is None:
        ended = msgspec.structs.replace(found, ended=at, exit_code=exit_code, note=note)
        await write(app, ended, cluster)


def _newest(found: dict[str, str]) -> list[str]:
    """The keys, the newest first."""
    started = {key: msgspec.json.decode(text, type=Ran).started for key, text in found.items()}
    return sorted(found, key=lambda key: started[key], reverse=True)
