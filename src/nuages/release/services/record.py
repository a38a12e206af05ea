"""What was done to data stores: one ConfigMap beside the releases' records, one entry each, the newest KEPT of them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from nuages.app.components import App
from nuages.kube.client import Cluster
from nuages.release import entries
from nuages.release.services.change import Way
from nuages.release.world import utc

KIND = "services"
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
    note: str = ""
    """What is to be known of it beside: of an upgrade from which version to which, and how long nobody wrote."""

    @property
    def key(self) -> str:
        """Under which it is kept: `20260314T030000-postgres`."""
        return f"{self.started:%Y%m%dT%H%M%S}-{self.service}"


async def history(app: App, cluster: Cluster) -> list[Changed]:
    """All entries, the newest first."""
    found = [msgspec.json.decode(text, type=Changed) for text in (await entries.read(app, KIND, cluster)).values()]
    return sorted(found, key=lambda one: one.key, reverse=True)


async def close(app: App, cluster: Cluster) -> list[Changed]:
    """Close what somebody began and never ended, and answer it. Only who holds the lock may: then it is nobody's any
    more.
    """
    found = [one for one in await history(app, cluster) if one.outcome is Outcome.RUNNING]
    for one in found:
        await write(app, msgspec.structs.replace(one, ended=utc(), outcome=Outcome.STOPPED), cluster)
    return found


async def write(app: App, changed: Changed, cluster: Cluster) -> None:
    """Write one entry, or its next state; the oldest beyond KEPT go."""
    text = msgspec.json.encode(changed).decode()
    await entries.write(app, KIND, changed.key, text, cluster, newest=_newest, kept=KEPT)


def _newest(keys: dict[str, str]) -> list[str]:
    """The keys, which begin with their time, the newest first."""
    return sorted(keys, reverse=True)
