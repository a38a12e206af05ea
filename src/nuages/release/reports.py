"""What a migrate Job told: the lines `@nuages {json}` in its log (nuages_runtime/migrations/events.py), read.

Who may not read logs, or reads one that is cut, knows less, and nothing fails by it.
"""

from __future__ import annotations

import base64
import gzip
from typing import Any

import msgspec

from nuages.app.objects import Object
from nuages.app.schema import Schema
from nuages.errors import ClusterError
from nuages.findings import Finding, Level, Place
from nuages.release import redact
from nuages.release.record import Left
from nuages.release.world import World
from nuages.rollout.kinds import JobTracker

EVENT = "@nuages "
LAST = 40
"""Lines of a log that tell what is under way."""

SHOWN = 100
"""Characters of a statement in one line of progress."""


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a migration failed."""

    migration: str = ""
    statement: str = ""
    error: str = ""
    hint: str = ""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All that a log tells."""

    schema: Schema | None = None
    refused: tuple[Finding, ...] = ()
    failed: Failure | None = None
    left: Left | None = None
    """What waits in the journals for a later stage; None where that is not told."""
    notes: tuple[str, ...] = ()
    under_way: str = ""
    """The migration and the statement of now, in a few words; "" where none is."""


def read(log: str) -> Report:
    """What a log tells; lines that are no events, or broken ones, tell nothing. Pure."""
    told: dict[str, Any] = {}
    notes: list[str] = []
    left: dict[str, int] = {}
    under_way = ""
    for line in log.splitlines():
        event = _event(line)
        match event.get("event"):
            case "step" | "waiting":
                under_way = _under_way(event)
            case "note":
                notes.append(redact.text(str(event.get("message", ""))))
            case "deferred":
                for name in ("entries", "backfills"):
                    left[name] = left.get(name, 0) + int(event.get(name) or 0)
            case "facts" | "failed" | "refused" as kind:
                told[kind] = event
            case _:
                if line.strip() == "OK" or line.startswith("nuages: "):
                    under_way = ""
    return Report(
        schema=_schema(told.get("facts")),
        refused=tuple(_finding(found) for found in told.get("refused", {}).get("findings", ())),
        failed=_failure(told.get("failed")),
        left=Left(statements=left["entries"], backfills=left["backfills"]) if left else None,
        notes=tuple(notes),
        under_way=redact.text(under_way),
    )


async def of_job(job: Object, world: World, *, tail: int | None = None) -> Report:
    """What a Job's newest pod told, whole or the last lines; an empty report where its log is not to be had."""
    live = world.mirror.get("Job", job["metadata"]["name"])
    pods = JobTracker().pods(live, world.mirror) if live else []
    if not pods:
        return Report()
    newest = max(pods, key=lambda pod: str(pod["metadata"].get("creationTimestamp", "")))["metadata"]
    try:
        log = await world.cluster.logs(newest["namespace"], newest["name"], tail=tail)
    except ClusterError:
        return Report()
    return read(log)


def _event(line: str) -> dict[str, Any]:
    if not line.startswith(EVENT):
        return {}
    try:
        found = msgspec.json.decode(line.removeprefix(EVENT))
    except msgspec.DecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _under_way(event: dict[str, Any]) -> str:
    migration = str(event.get("migration", ""))
    if event["event"] == "waiting":
        return f"{migration}: {event.get('reason', '')}; again in {event.get('seconds', 0)} s"
    if "seconds" in event:
        return ""
    statement = str(event.get("statement", ""))
    return f"{migration}: {statement if len(statement) <= SHOWN else statement[: SHOWN - 1] + '…'}"


def _failure(event: dict[str, Any] | None) -> Failure | None:
    """Why it failed, in the database's own words, without the passwords in them."""
    if event is None:
        return None
    told = msgspec.convert(event, Failure, strict=False)
    return Failure(**{name: redact.text(getattr(told, name)) for name in Failure.__struct_fields__})


def _schema(event: dict[str, Any] | None) -> Schema | None:
    if not event:
        return None
    try:
        databases = event.get("databases")
        if packed := event.get("gzip"):
            databases = msgspec.json.decode(gzip.decompress(base64.b64decode(packed)))
        return msgspec.convert({"databases": databases}, Schema)
    except (msgspec.DecodeError, msgspec.ValidationError, OSError, ValueError, EOFError):
        return None


def _finding(found: dict[str, Any]) -> Finding:
    return Finding(
        id=str(found.get("id", "")),
        level=Level.ERROR,
        message=redact.text(str(found.get("message", ""))),
        place=Place(path=str(found.get("place", ""))),
        hint=str(found.get("hint", "")),
    )
