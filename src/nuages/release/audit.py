"""Who ran what: one ConfigMap beside the records, one entry for each command, the newest KEPT of them.

The command line is written down as it was typed: whoever puts a secret into one finds it here.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from nuages.app.components import App
from nuages.kube.client import Cluster
from nuages.release import entries

KIND = "runs"
KEPT = 200
"""Entries; a ConfigMap holds 1 MiB (https://kubernetes.io/docs/concepts/configuration/configmap/)."""

LONGEST = 2000
"""Characters of a command line that are kept."""


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """One command that was run beside a release."""

    schema: int = 1
    pod: str
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


async def history(app: App, cluster: Cluster) -> list[Ran]:
    """All entries, the newest first."""
    found = [msgspec.json.decode(text, type=Ran) for text in (await entries.read(app, KIND, cluster)).values()]
    return sorted(found, key=lambda ran: (ran.started, ran.pod), reverse=True)


async def write(app: App, ran: Ran, cluster: Cluster) -> None:
    """Write one entry, or its next state; the oldest beyond KEPT go."""
    if len(" ".join(ran.command)) > LONGEST:
        ran = msgspec.structs.replace(ran, command=(" ".join(ran.command)[:LONGEST] + "…",))
    text = msgspec.json.encode(ran).decode()
    await entries.write(app, KIND, ran.pod, text, cluster, newest=_newest, kept=KEPT)


async def end(app: App, pod: str, cluster: Cluster, *, at: datetime, exit_code: int | None, note: str = "") -> None:
    """Write down how one ended; one that is not known, or is known to have ended, stays as it is."""
    found = next((ran for ran in await history(app, cluster) if ran.pod == pod), None)
    if found and found.ended is None:
        ended = msgspec.structs.replace(found, ended=at, exit_code=exit_code, note=note)
        await write(app, ended, cluster)


def _newest(found: dict[str, str]) -> list[str]:
    """The keys, the newest first."""
    started = {key: msgspec.json.decode(text, type=Ran).started for key, text in found.items()}
    return sorted(found, key=lambda key: started[key], reverse=True)
