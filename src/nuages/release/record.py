"""What is kept of a release: one ConfigMap each, numbered, immutable once closed. No secret's value is ever in one.

The record is the release's only memory. Whoever advances it reads it first, and a write that is based on an old reading
is refused by the API server (resourceVersion), so two writers can't both believe they are the one.
"""

from __future__ import annotations

import base64
import gzip
import zlib
from datetime import datetime
from enum import StrEnum

import msgspec

from nuages import __version__
from nuages.app.build import Build, Statics
from nuages.app.objects import Object
from nuages.app.schema import Schema
from nuages.errors import Refused
from nuages.release.brief import labels as labels  # noqa: PLC0414 - most ask for them here
from nuages.release.trials.trial import Trial
from nuages.render.release import Manifest

SCHEMA = 3
"""The shape of a record. A tool reads all up to its own; it refuses a newer one.

2: the manifest has workers and beat, which a tool of shape 1 would leave out when it goes back.
3: a release may be paused, and has what its code knows of the database beside it.
"""

KEPT = 10
"""Closed records that are kept, the newest: so many releases back `nuages rollback` can go."""


class Outcome(StrEnum):
    """How a release stands."""

    RUNNING = "running"
    LIVE = "live"
    FAILED = "failed"
    ABANDONED = "abandoned"
    """Stopped before its end, and overtaken by a release of something else."""


class Passed(msgspec.Struct, frozen=True, kw_only=True):
    """One phase that a release went through."""

    phase: str
    started: datetime
    ended: datetime | None = None
    note: str = ""
    ok: bool = True
    """False where it is the one that failed; the note says why."""

    def broken(self, now: datetime, why: str) -> Passed:
        """The phase that failed."""
        return msgspec.structs.replace(self, ended=now, note=why, ok=False)


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    """What an open release waits for."""

    phase: str
    reason: str
    since: datetime
    hint: str = ""


class Reference(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """One object that a release applied."""

    kind: str
    name: str
    uid: str


class DatabaseState(msgspec.Struct, frozen=True, kw_only=True):
    """How far the database is: the migration leaves that are applied, on these volumes."""

    volumes: tuple[str, ...] = ()
    """What tells its place from another: the uids of the volumes that our data store writes to; without one, those of
    the folders that are kept, and the names of the configuration and secrets that lead to somebody else's."""
    migrations: dict[str, list[str]]


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """What migrations that are applied left in the journals of the databases."""

    statements: int
    """All of it."""
    backfills: int = 0
    """Of these the ones that this release runs once its pods are there."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One numbered attempt to bring (app, image digest) live."""

    schema: int = SCHEMA
    tool: str = __version__
    number: int
    template: int
    """The release in which the pods' template last changed."""
    app: str
    environment: str
    namespace: str
    by: str
    """Who started it: user@host."""
    command: str = ""
    """By which command; without anything secret, which no command line takes."""
    message: str = ""
    """What whoever started it said of it."""
    restores: int | None = None
    """The release that a rollback brings back; None for a deploy."""
    build: Build
    statics: tuple[Statics, ...] = ()
    """The images whose static files stay reachable with it; the first serves those of all."""
    left_out: tuple[str, ...] = ()
    """Of their images those that could not be had any more."""
    secrets: str | None = None
    """The immutable Secret its pods read; kept as long as this record is."""
    started: datetime
    live: datetime | None = None
    """Since when it serves; what comes after (settle, contract, prune) takes nothing of that back."""
    ended: datetime | None = None
    outcome: Outcome = Outcome.RUNNING
    passed: tuple[Passed, ...] = ()
    inventory: tuple[Reference, ...] = ()
    database: DatabaseState | None = None
    """What is known of the database now; None while a migration is under way or ended badly."""
    left: Left | None = None
    """What is still to be done of migrations; None where that is not known."""
    failure: str = ""
    paused: Pause | None = None
    """What it waits for, where it is open and nobody needs to be at it."""
    maintenance: bool = False
    """Whether a page stood in for the app while the database was migrated."""
    trial: Trial | None = None
    """The set beside the release that serves, where one was asked for."""

    @property
    def instance(self) -> str:
        """The label that tells this app's objects from those of its other environments."""
        return f"{self.app}-{self.environment}"

    @property
    def went_live(self) -> bool:
        """Whether it serves, or did: all its pods were there, and answered as this release."""
        return self.live is not None or self.outcome is Outcome.LIVE

    def phase(self, name: str) -> Passed | None:
        """What is known of one phase; None where it has not begun."""
        return next((passed for passed in self.passed if passed.phase == name), None)

    def begun(self, phase: str, now: datetime, objects: list[Object]) -> Record:
        """The record with a phase begun and what it applied taken into the inventory."""
        new = tuple(
            Reference(kind=live["kind"], name=live["metadata"]["name"], uid=live["metadata"]["uid"]) for live in objects
        )
        names = {(reference.kind, reference.name) for reference in new}
        kept = tuple(reference for reference in self.inventory if (reference.kind, reference.name) not in names)
        return msgspec.structs.replace(
            self, passed=(*self.passed, Passed(phase=phase, started=now)), inventory=kept + new
        )

    def finished(self, phase: str, now: datetime, note: str) -> Record:
        """The record with a phase ended; one that had nothing to do began just now."""
        entry = self.phase(phase) or Passed(phase=phase, started=now)
        others = tuple(passed for passed in self.passed if passed.phase != phase)
        return msgspec.structs.replace(
            self, passed=(*others, msgspec.structs.replace(entry, ended=now, note=note)), paused=None
        )

    def serves(self, now: datetime) -> Record:
        """The record of a release that is live from now on."""
        return self if self.live else msgspec.structs.replace(self, live=now)

    def waits(self, phase: str, now: datetime, reason: str, hint: str) -> Record:
        """The record, paused in a phase; since when does not change by asking again."""
        since = self.paused.since if self.paused and self.paused.phase == phase else now
        return msgspec.structs.replace(self, paused=Pause(phase=phase, reason=reason, since=since, hint=hint))

    def closed(self, outcome: Outcome, now: datetime, failure: str = "") -> Record:
        """The record, ended. One that went live stays so, whatever comes after."""
        ends = Outcome.LIVE if self.live else outcome
        passed = tuple(each if each.ended or not failure else each.broken(now, failure) for each in self.passed)
        return msgspec.structs.replace(self, outcome=ends, ended=now, failure=failure, paused=None, passed=passed)


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """A record as it lies in the cluster, with the manifest it applies."""

    record: Record
    manifest: Manifest
    schema: Schema | None = None
    """What its code reads and writes, and what was applied when it went live; None where that is not known."""
    resource_version: str | None = None
    """None where it is not written yet."""
    ahead: bool = False
    """Whether the record says more than what is written: that phases ended, which the next write brings along."""

    @property
    def open(self) -> bool:
        """Whether something is left to do."""
        return self.record.ended is None


def name(app: str, number: int) -> str:
    """The ConfigMap's name: `blog-release-7`."""
    return f"{app}-release-{number}"


def encode(stored: Stored) -> Object:
    """The ConfigMap that holds a record; immutable where the release has ended.

    Manifest and schema are compressed: a ConfigMap holds 1 MiB (https://kubernetes.io/docs/concepts/configuration/configmap/).
    """
    record = stored.record
    metadata: Object = {
        "name": name(record.app, record.number),
        "namespace": record.namespace,
        "labels": labels(record.app, record.environment) | {"nuages.dev/release": str(record.number)},
    }
    if stored.resource_version:
        metadata["resourceVersion"] = stored.resource_version
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata,
        "data": {"record": msgspec.json.encode(record).decode()},
        "binaryData": {"manifest": _packed(stored.manifest)}
        | ({"schema": _packed(stored.schema)} if stored.schema else {}),
        **({"immutable": True} if record.ended else {}),
    }


def decode(config_map: Object) -> Stored:
    """Read a record back.

    Raises:
        Refused: a newer nuages wrote it, in a shape this one does not know; or somebody's hand was in it.
    """
    title = config_map["metadata"]["name"]
    try:
        return _decoded(config_map)
    except (KeyError, TypeError, ValueError, OSError, EOFError, zlib.error) as broken:
        where = f"-n {config_map['metadata'].get('namespace', '')} configmap {title}"
        raise Refused(
            f"release record {title} can't be read: {type(broken).__name__}: {broken}",
            hint=f"nuages never writes such a one; without it the others are read: kubectl delete {where}",
        ) from None


def _decoded(config_map: Object) -> Stored:
    text = config_map["data"]["record"]
    schema = msgspec.json.decode(text, type=_Shape).schema
    if schema > SCHEMA:
        raise Refused(
            f"release record {config_map['metadata']['name']} was written by a newer nuages (shape {schema})",
            hint="upgrade nuages: an older one must not touch what a newer one made",
        )
    binary = config_map["binaryData"]
    return Stored(
        record=msgspec.json.decode(text, type=Record),
        manifest=msgspec.json.decode(_unpacked(binary["manifest"]), type=Manifest),
        schema=msgspec.json.decode(_unpacked(binary["schema"]), type=Schema) if "schema" in binary else None,
        resource_version=config_map["metadata"]["resourceVersion"],
    )


def _packed(value: Manifest | Schema) -> str:
    return base64.b64encode(gzip.compress(msgspec.json.encode(value), mtime=0)).decode()


def _unpacked(text: str) -> bytes:
    return gzip.decompress(base64.b64decode(text))


class _Shape(msgspec.Struct):
    schema: int
