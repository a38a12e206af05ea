"""What commands that change something print with --json: what is so afterwards. docs/reference/records.md explains it.

Under one `schema` fields are added, never renamed, removed or given another meaning. No secret's value is in any.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar

import msgspec

from nuages.app.components import App
from nuages.findings import Finding
from nuages.release.keeping.backups import Backup
from nuages.release.services.change import Store
from nuages.release.services.record import Changed


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """Where it was done; what was done is in the fields of each of those below."""

    schema: int = 1
    app: str
    environment: str
    namespace: str


D = TypeVar("D", bound=Done)


def done(kind: type[D], app: App, **told: Any) -> D:
    """One of these, of an app."""
    return kind(app=app.name, environment=app.environment, namespace=app.namespace, **told)


class Built(msgspec.Struct, frozen=True, kw_only=True):
    """`nuages build`."""

    schema: int = 1
    reference: str
    pushed: bool
    tags: list[str]
    loaded: bool
    files: list[str]
    findings: list[Finding]


class Turned(Done, frozen=True, kw_only=True):
    """`nuages env sleep` and `wake`."""

    state: str
    workloads: int


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """One environment that was to be taken down."""

    app: str
    environment: str
    namespace: str
    down: bool
    data: bool


class Down(msgspec.Struct, frozen=True, kw_only=True):
    """`nuages env down`."""

    schema: int = 1
    environments: list[Ended]


class Destroyed(Done, frozen=True, kw_only=True):
    """`nuages destroy`."""

    removed: list[str]
    kept: list[str]


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one secret."""

    name: str
    state: str
    why: str = ""


class Values(Done, frozen=True, kw_only=True):
    """`nuages secrets set`, `unset` and `import`."""

    secrets: list[Value]


class Rotation(Done, frozen=True, kw_only=True):
    """`nuages secrets rotate`."""

    name: str
    state: str
    user: str | None = None
    workloads: list[str] = []
    release: int | None = None


class Applied(Done, frozen=True, kw_only=True):
    """`nuages services apply`."""

    services: list[Store]
    changed: list[Changed]


class Restored(Done, frozen=True, kw_only=True):
    """`nuages restore`."""

    backup: Backup | None
    database: str
    serves: bool
    before: str | None


class Dropped(Done, frozen=True, kw_only=True):
    """`nuages db drop`."""

    dropped: list[str]
    bytes: int


class Carried(Done, frozen=True, kw_only=True):
    """`nuages state export` and `import`."""

    file: str
    made: datetime
    by: str
    objects: list[str]
    database: bool
    before: str | None = None


class Copied(Done, frozen=True, kw_only=True):
    """`nuages cp`."""

    pod: str
    container: str
    source: str
    target: str
    files: int
    bytes: int


class Initialised(msgspec.Struct, frozen=True, kw_only=True):
    """`nuages init`."""

    schema: int = 1
    wrote: list[str]
    findings: list[Finding]
