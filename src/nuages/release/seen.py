"""What is seen of a cluster at one moment, and what is told of it: the values of `nuages status`. Quick to import."""

from __future__ import annotations

from typing import NamedTuple

from nuages.app.objects import Object
from nuages.release.usage import Usage


class Component(NamedTuple):
    """One workload and how its pods are."""

    name: str
    kind: str
    ready: int
    wanted: int
    restarts: int
    state: str
    component: str = ""
    """What it is there for: `web`, `worker`, `beat`, `postgres`, `redis`."""
    key: str = ""
    """Its key in the spec, where there may be several: `main`."""
    usage: Usage = Usage()
    """Of all its pods together."""


class Schedule(NamedTuple):
    """What runs by the clock, and how it went last."""

    name: str
    key: str
    cron: str
    suspended: bool
    last: str
    """`never`, `running`, `complete`, `failed`, or `unknown` where nothing of it is kept."""
    began: str | None
    why: str = ""


class Job(NamedTuple):
    """Something that runs once: a migration, a backup, a command of a person's."""

    name: str
    component: str
    began: str | None
    state: str
    """As its verdict says: `running`, `complete`, or why it failed."""
    failed: bool


class Certificate(NamedTuple):
    """What browsers are shown."""

    secret: str
    hosts: tuple[str, ...]
    until: str | None
    """When it ends; None where that is not known."""
    problem: str = ""


class Problem(NamedTuple):
    """Something that is wrong, why, and what to do."""

    name: str
    summary: str
    detail: str
    hint: str


class Hold(NamedTuple):
    """Who has the lock."""

    who: str
    since: str
    command: str
    message: str
    by_hand: bool
    """Whether `nuages lock` took it: no release is under way then."""


class Status(NamedTuple):
    """What `nuages status` shows; with `--json` in exactly this shape, which only grows under one `schema`."""

    schema: int
    app: str
    environment: str
    namespace: str
    context: str
    release: int | None
    """The release that serves; None where none went live yet."""
    image: str | None
    since: str | None
    latest: int | None
    """The newest release, where it is another one: it failed, was stopped, or is under way."""
    latest_outcome: str | None
    components: list[Component]
    addresses: list[str]
    problems: list[Problem]
    phase: str | None
    """Where the newest release is, while it is under way."""
    waits: str | None
    """What it waits for, where it is paused."""
    hint: str | None
    """How the newest release goes on, where it has not ended."""
    lock: Hold | None
    schedules: list[Schedule]
    jobs: list[Job]
    certificates: list[Certificate]
    metered: bool
    """Whether the cluster measures what pods use."""
    next: str | None
    """What to type next; None where nothing is to be done."""
    maintenance: str | None = None
    """Since when the page of `nuages maintenance on` is in front; None where it is not."""


class Seen(NamedTuple):
    """What was seen of a cluster at one moment: lists of objects by kind, and what is no object of the app."""

    objects: dict[str, list[Object]]
    lock: Hold | None = None
    used: dict[str, tuple[int, int]] | None = None
    """Pod -> what it uses; None where nothing measures it."""
    secret: Object | None = None
    """The certificate's; None where it is not there, or not to be read."""

    def items(self, kind: str) -> list[Object]:
        """All objects of a kind."""
        return self.objects.get(kind, [])

    def get(self, kind: str, name: str) -> Object | None:
        """One object; None where there is none."""
        return next((item for item in self.items(kind) if item["metadata"]["name"] == name), None)
