"""Who ran what: one ConfigMap beside the records, one entry for each command, the newest KEPT of them.

The command line is written down as it was typed: whoever puts a secret into one finds it here. A write adds or changes
one key, so two at once don't lose each other's.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from nuages.app.components import App
from nuages.kube.client import Cluster
from nuages.kube.failures import AlreadyExists
from nuages.render.labels import CONFIG, metadata

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


def name(app: App) -> str:
    """The ConfigMap's name: `blog-runs`."""
    return f"{app.name}-runs"


async def history(app: App, cluster: Cluster) -> list[Ran]:
    """All entries, the newest first."""
    live = await cluster.get("ConfigMap", app.namespace, name(app))
    found = [msgspec.json.decode(text, type=Ran) for text in ((live or {}).get("data") or {}).values()]
    return sorted(found, key=lambda ran: (ran.started, ran.pod), reverse=True)


async def write(app: App, ran: Ran, cluster: Cluster) -> None:
    """Write one entry, or its next state; the oldest beyond KEPT go."""
    if len(" ".join(ran.command)) > LONGEST:
        ran = msgspec.structs.replace(ran, command=(" ".join(ran.command)[:LONGEST] + "…",))
    text = msgspec.json.encode(ran).decode()
    live = await cluster.get("ConfigMap", app.namespace, name(app))
    if live is None:
        about = metadata(app, name(app), CONFIG)
        about["labels"]["nuages.dev/kind"] = "runs"
        first = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": about, "data": {ran.pod: text}}
        try:
            await cluster.create(first)
        except AlreadyExists:
            live = {}
        else:
            return
    entries = {**(live.get("data") or {}), ran.pod: text}
    started = {key: msgspec.json.decode(entry, type=Ran).started for key, entry in entries.items()}
    old = sorted(entries, key=lambda key: started[key], reverse=True)[KEPT:]
    await cluster.patch_merge("ConfigMap", app.namespace, name(app), {"data": {ran.pod: text, **dict.fromkeys(old)}})


async def end(app: App, pod: str, cluster: Cluster, *, at: datetime, exit_code: int | None, note: str = "") -> None:
    """Write down how one ended; one that is not known, or is known to have ended, stays as it is."""
    found = next((ran for ran in await history(app, cluster) if ran.pod == pod), None)
    if found and found.ended is None:
        ended = msgspec.structs.replace(found, ended=at, exit_code=exit_code, note=note)
        await write(app, ended, cluster)
