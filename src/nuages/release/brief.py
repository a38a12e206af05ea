"""The releases of an environment, a line each. Plain values, and quick to import: `nuages releases` is asked often."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, NamedTuple

from nuages.app.objects import Object
from nuages.errors import Refused
from nuages.render.labels import ENVIRONMENT, MANAGER, belonging

SHAPE = 3
"""The newest shape of a record that is understood here; a test holds it to release/record.py."""


class Brief(NamedTuple):
    """One release, in a line."""

    number: int
    state: str
    """Its outcome; `paused` or `running` while it is open, `serving` where it is the one that serves."""
    by: str
    command: str
    message: str
    image: str
    started: str
    live: str | None
    seconds: float | None
    """From its record to live; None where it never was."""
    restores: int | None
    failure: str


class Releases(NamedTuple):
    """What `nuages releases --json` prints; it only grows under one `schema`."""

    schema: int
    app: str
    environment: str
    namespace: str
    serving: int | None
    releases: list[Brief]
    """The newest first."""


def labels(app: str, environment: str) -> dict[str, str]:
    """By which the records of one app and environment are found."""
    ours = {"app.kubernetes.io/managed-by": MANAGER, ENVIRONMENT: environment, "nuages.dev/kind": "release"}
    return belonging(app, f"{app}-{environment}") | ours


def records(maps: list[Object]) -> list[Any]:
    """What is told of an app's releases, the newest first, without their manifests (release/record.py).

    Raises:
        Refused: one of them was written by a newer nuages.
    """
    kept = [one for one in maps if one["metadata"].get("labels", {}).get("nuages.dev/kind") == "release"]
    try:
        told = [json.loads(one["data"]["record"]) for one in kept]
        newer = [one for one, record in zip(kept, told, strict=True) if record["schema"] > SHAPE]
    except (KeyError, TypeError, ValueError):
        newer = kept
    if newer:
        from nuages.release.record import decode  # noqa: PLC0415 - it says what is wrong, and is slow to import

        for one in newer:
            decode(one)
        raise Refused("a release record can't be read")
    return sorted(told, key=lambda record: -int(record["number"]))


def serves(found: list[Any]) -> Any | None:
    """The record of the release that serves: the newest that went live."""
    return next((record for record in found if record.get("live") or record["outcome"] == "live"), None)


def brief(app: str, environment: str, namespace: str, found: list[Any]) -> Releases:
    """All of them, of records as they are written, the newest first."""
    serving = serves(found)
    number = int(serving["number"]) if serving else None
    return Releases(1, app, environment, namespace, number, [_brief(record, number) for record in found])


def state(record: Any, serving: int | None) -> str:
    """How a release stands, beside the number of the one that serves."""
    if record.get("paused"):
        return "paused"
    return "serving" if record["number"] == serving else str(record.get("outcome", "running"))


def _brief(record: Any, serving: int | None) -> Brief:
    # Records of older shapes do not say since when they serve: they ended as soon as they did.
    live = record.get("live") or (record.get("ended") if record.get("outcome") == "live" else None)
    took = datetime.fromisoformat(live) - datetime.fromisoformat(record["started"]) if live else None
    return Brief(
        number=record["number"],
        state=state(record, serving),
        by=record["by"],
        command=record.get("command", ""),
        message=record.get("message", ""),
        image=record["build"]["reference"],
        started=record["started"],
        live=live,
        seconds=took.total_seconds() if took is not None else None,
        restores=record.get("restores"),
        failure=record.get("failure", ""),
    )
