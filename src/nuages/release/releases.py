"""The releases of an environment as a person or a program asks for them; a record is told as it is."""

from __future__ import annotations

import msgspec

from nuages.app.components import App
from nuages.errors import UsageError
from nuages.kube.client import Cluster
from nuages.release import brief, records
from nuages.release.brief import Releases
from nuages.release.record import Record, Stored, labels


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What `nuages releases show N --json` prints; it only grows under one `schema`."""

    schema: int = 1
    state: str
    record: Record
    objects: list[str]
    """What it applies, as kind and name, in this order."""


async def history(app: App, cluster: Cluster) -> list[Stored]:
    """All releases that are kept, the newest first."""
    return await records.history(cluster, app.namespace, app.name, app.environment)


async def briefs(app: App, cluster: Cluster) -> Releases:
    """All of them, a line each."""
    maps = await cluster.list("ConfigMap", app.namespace, labels(app.name, app.environment))
    return brief.brief(app.name, app.environment, app.namespace, brief.records(maps.items))


def shown(found: list[Stored], number: int) -> Shown:
    """One of them, with all that is known.

    Raises:
        UsageError: there is no such release, or none any more.
    """
    stored = one(found, number)
    objects = [f"{item['kind']}/{item['metadata']['name']}" for item in stored.manifest.objects]
    return Shown(state=_state(stored.record, records.live(found)), record=stored.record, objects=objects)


def one(found: list[Stored], number: int) -> Stored:
    """The release of that number.

    Raises:
        UsageError: there is none.
    """
    if stored := next((stored for stored in found if stored.record.number == number), None):
        return stored
    known = ", ".join(str(stored.record.number) for stored in reversed(found)) or "none"
    raise UsageError(f"there is no release {number}", hint=f"kept are: {known}")


def _state(record: Record, serving: Stored | None) -> str:
    return brief.state(msgspec.to_builtins(record), serving.record.number if serving else None)
