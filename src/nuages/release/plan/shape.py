"""The plan as data: what `nuages plan --json` prints and `--save` freezes. It only grows under one `schema`.

No secret's value is in it: what a variable, a URL or a Secret hides is `***`.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from nuages import __version__
from nuages.findings import Level
from nuages.release.tasks import Compared

SCHEMA = 1


class Action(StrEnum):
    """What becomes of an object."""

    CREATE = "create"
    UPDATE = "update"
    SAME = "same"
    REMOVE = "remove"
    KEEP = "keep"
    """It differs and is left as it is: a data store, or a volume that can't shrink."""
    BLOCKED = "blocked"
    """It can't become so; a finding says why, and a deploy would end there."""


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One field that would be another one."""

    path: str
    """`spec.template.spec.containers[web].image`."""
    before: str | None = None
    """What it is now, text as it is and all else as JSON; null where it is not there."""
    after: str | None = None


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of one object."""

    action: Action
    kind: str
    name: str
    replaces: str = ""
    """The object whose place it takes, where its name carries its content's hash."""
    fields: tuple[Field, ...] = ()
    """Only what nuages declares; empty for one that is new or goes."""
    rolls: bool = False
    """Whether its pods are started anew."""
    note: str = ""


class Outcome(StrEnum):
    """What a deploy does about a change that somebody made by hand."""

    TAKEN_BACK = "taken back"
    """It is overwritten, and said: the number of replicas."""
    GIVEN_BACK = "given back"
    """It was changed by hand and is again what the release that serves made it: nobody's change is lost."""
    BLOCKS = "blocks"
    """The field is nuages' own: the deploy ends before anything is touched."""
    LEFT = "left alone"
    """Nuages does not declare the field."""


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """One change that was made by hand."""

    kind: str
    name: str
    path: str
    manager: str
    """Who, as the cluster knows them: `kubectl-edit`."""
    at: datetime | None = None
    live: str | None = None
    wanted: str | None = None
    """What nuages declares; null where it does not declare the field."""
    outcome: Outcome


class Lock(msgspec.Struct, frozen=True, kw_only=True):
    """A lock that a statement takes on a table."""

    table: str
    mode: str
    """`AccessExclusiveLock`."""
    rows: int | None = None
    """How many rows that table has, about."""
    bytes: int | None = None


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """One statement of a migration, as it would be run."""

    sql: str
    locks: tuple[Lock, ...] = ()
    rewrites: bool = False
    """Whether the whole table is written anew while it is locked."""
    concurrent: bool = False
    """Whether it blocks neither readers nor writers (CREATE INDEX CONCURRENTLY)."""
    later: bool = False
    """Whether it is held back until no code needs what it takes away."""


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One operation of a migration."""

    text: str
    kind: str
    """expand, contract, backfill, state or unsafe."""
    why: str = ""
    safer: str = ""
    """How to write it so that nobody is blocked or broken."""
    declared: bool = False
    """Whether the spec or the migration itself says of which kind it is."""
    opaque: bool = False
    """Whether what it does to rows can't be read off it: code, or SQL, that nobody declared."""
    statements: tuple[Statement, ...] = ()


class Migration(msgspec.Struct, frozen=True, kw_only=True):
    """One pending migration."""

    name: str
    """`blog.0005_post_slug`."""
    operations: tuple[Operation, ...] = ()


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What an earlier release held back, because code that ran then needed it."""

    release: int | None
    migration: str
    kind: str
    sql: str


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be migrated in one database."""

    database: str
    """The alias in DATABASES."""
    vendor: str = ""
    version: str = ""
    migrations: tuple[Migration, ...] = ()
    """In the order in which they would run."""
    held: tuple[Held, ...] = ()


class Migrations(msgspec.Struct, frozen=True, kw_only=True):
    """What the database says."""

    known: bool
    why_not: str = ""
    """Why it could not be asked; "" where it was, or where there is none."""
    contract: str = "next-release"
    """When what is held back is taken away: `next-release`, `after-rollout`, or `manual`, which waits for a person."""
    databases: tuple[Pending, ...] = ()

    @property
    def due(self) -> bool:
        """Whether the next release has something to do in a database."""
        held = any(entry.kind != "backfill" for one in self.databases for entry in one.held)
        return any(one.migrations for one in self.databases) or (held and self.contract != "manual")


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What one component takes of the database's connections, in the middle of a rollout."""

    name: str
    connections: int


class Connections(msgspec.Struct, frozen=True, kw_only=True):
    """The connection budget."""

    parts: tuple[Part, ...]
    beside: int
    """The migrate Job, and PostgreSQL's own reserve."""
    wanted: int
    available: int | None
    """PostgreSQL's max_connections; null where it is not ours to know."""


class Roll(msgspec.Struct, frozen=True, kw_only=True):
    """A component whose pods are started anew."""

    kind: str
    name: str
    pods: int
    why: tuple[str, ...]
    """`image`, `configuration`, `secrets`, or the fields that differ."""


class Took(msgspec.Struct, frozen=True, kw_only=True):
    """How long a phase took the last time that it had something to do."""

    phase: str
    seconds: float
    release: int


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Whether one can go back behind this release, as far as it can be said before."""

    says: str
    """safe, degraded, unknown, undo or refused."""
    to: int
    reasons: tuple[str, ...] = ()
    undo: tuple[str, ...] = ()
    """The migrations that would have to be undone first, the newest first."""
    losses: tuple[str, ...] = ()
    """What goes for good with them."""
    ends: tuple[str, ...] = ()
    """What is held back for now, and ends the way back when it is done: migration and operation."""


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """A finding, as `nuages check --json` prints it."""

    id: str
    level: Level
    message: str
    place: str = ""
    hint: str = ""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a deploy would do."""

    schema: int = SCHEMA
    tool: str = __version__
    made: datetime
    app: str
    environment: str
    namespace: str
    cluster: str
    """The kubeconfig context that was asked."""
    release: int
    """The number that it would have."""
    serving: int | None
    """The release that serves."""
    manner: str = ""
    """`canary`, `blue-green`, `maintenance`; "" for all at once."""
    image: str
    """repository@sha256:…"""
    serving_image: str | None
    changes: bool
    """Whether a deploy would change anything: what `--exit-code` tells."""
    objects: tuple[Change, ...]
    drift: tuple[Drift, ...] = ()
    secrets: tuple[str, ...] = ()
    """The names of those whose values are others than the ones that pods read now."""
    migrations: Migrations
    connections: Connections | None = None
    rolls: tuple[Roll, ...] = ()
    took: tuple[Took, ...] = ()
    tasks: Compared = Compared(known=False)
    back: Verdict | None = None
    """Null where nothing serves yet."""
    findings: tuple[Said, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether a deploy would be refused, or end at something that can be seen already."""
        return any(finding.level is Level.ERROR for finding in self.findings)
