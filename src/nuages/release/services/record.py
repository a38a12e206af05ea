"""What was done to data stores: one ConfigMap beside the releases' records, one entry each, the newest KEPT of them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from nuages.app.components import App
from nuages.kube.client import Cluster
from nuages.kube.failures import AlreadyExists
from nuages.release.services.change import Way
from nuages.release.world import utc
from nuages.render.labels import CONFIG, metadata

KEPT = 100
"""Entries; a ConfigMap holds 1 MiB (https://kubernetes.io/docs/concepts/configuration/configmap/)."""


class Outcome(StrEnum):
    """How a change of a store ended."""

    RUNNING = "running"
    """It is under way; or whoever drove it was killed, which the next `apply` finds."""
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"
    """Whoever drove it was stopped: the next `apply` goes on, as an entry of its own."""


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """One change of one data store; it only grows under one `schema`."""

    schema: int = 1
    service: str
    way: Way
    fields: tuple[str, ...] = ()
    """The fields that became others; no values."""
    storage: str = ""
    by: str
    """user@host."""
    started: datetime
    ended: datetime | None = None
    outcome: Outcome = Outcome.RUNNING
    failure: str = ""

    @property
    def key(self) -> str:
        """Under which it is kept: `20260314T030000-postgres`."""
        return f"{self.started:%Y%m%dT%H%M%S}-{self.service}"


def name(app: App) -> str:
    """The ConfigMap's name: `blog-services`."""
    return f"{app.name}-services"


async def history(app: App, cluster: Cluster) -> list[Changed]:
    """All entries, the newest first."""
    live = await cluster.get("ConfigMap", app.namespace, name(app))
    found = [msgspec.json.decode(text, type=Changed) for text in ((live or {}).get("data") or {}).values()]
    return sorted(found, key=lambda one: one.key, reverse=True)


async def close(app: App, cluster: Cluster) -> None:
    """Close what somebody began and never ended. Only who holds the lock may: then it is nobody's any more."""
    for one in await history(app, cluster):
        if one.outcome is Outcome.RUNNING:
            await write(app, msgspec.structs.replace(one, ended=utc(), outcome=Outcome.STOPPED), cluster)


async def write(app: App, changed: Changed, cluster: Cluster) -> None:
    """Write one entry, or its next state; the oldest beyond KEPT go."""
    text = msgspec.json.encode(changed).decode()
    live = await cluster.get("ConfigMap", app.namespace, name(app))
    if live is None:
        about = metadata(app, name(app), CONFIG)
        about["labels"]["nuages.dev/kind"] = "services"
        first = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": about, "data": {changed.key: text}}
        try:
            await cluster.create(first)
        except AlreadyExists:
            live = {}
        else:
            return
    old = sorted({**(live.get("data") or {}), changed.key: text}, reverse=True)[KEPT:]
    await cluster.patch_merge(
        "ConfigMap", app.namespace, name(app), {"data": {changed.key: text, **dict.fromkeys(old)}}
    )
