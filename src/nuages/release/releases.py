"""The releases of an environment as a person or a program asks for them; a record is told as it is."""

from __future__ import annotations

from datetime import datetime

import msgspec

from nuages.app.components import App
from nuages.errors import UsageError
from nuages.kube.client import Cluster
from nuages.release import records
from nuages.release.record import Record, Stored


class Brief(msgspec.Struct, frozen=True, kw_only=True):
    """One release, in a line."""

    number: int
    state: str
    """Its outcome; `paused` or `running` while it is open, `serving` where it is the one that serves."""
    by: str
    command: str
    message: str
    image: str
    started: datetime
    live: datetime | None
    seconds: float | None
    """From its record to live; None where it never was."""
    restores: int | None
    failure: str


class Releases(msgspec.Struct, frozen=True, kw_only=True):
    """What `nuages releases --json` prints; it only grows under one `schema`."""

    schema: int = 1
    app: str
    environment: str
    namespace: str
    serving: int | None
    releases: list[Brief]
    """The newest first."""


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


def brief(app: App, found: list[Stored]) -> Releases:
    """All of them, a line each."""
    serving = records.live(found)
    return Releases(
        app=app.name,
        environment=app.environment,
        namespace=app.namespace,
        serving=serving.record.number if serving else None,
        releases=[_brief(stored.record, serving) for stored in found],
    )


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


def _brief(record: Record, serving: Stored | None) -> Brief:
    # Records of older shapes do not say since when they serve: they ended as soon as they did.
    live = record.live or (record.ended if record.went_live else None)
    return Brief(
        number=record.number,
        state=_state(record, serving),
        by=record.by,
        command=record.command,
        message=record.message,
        image=record.build.reference,
        started=record.started,
        live=live,
        seconds=(live - record.started).total_seconds() if live else None,
        restores=record.restores,
        failure=record.failure,
    )


def _state(record: Record, serving: Stored | None) -> str:
    if record.paused:
        return "paused"
    if serving and record.number == serving.record.number:
        return "serving"
    return record.outcome.value
