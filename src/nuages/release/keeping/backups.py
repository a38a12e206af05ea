"""Backups: made, listed, tried and brought back.

A restore never touches the database that serves until another one stands beside it, whole and counted; then the two
change their names, and the one that served is kept.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from datetime import datetime

import msgspec

from nuages.app.components import App
from nuages.errors import Refused
from nuages.findings import Finding, Level, Place
from nuages.kube.client import Cluster
from nuages.progress import Said, Sink, Step, step
from nuages.release.keeping.jobs import fresh, ran, told, whole
from nuages.release.locks import lock
from nuages.release.world import utc
from nuages.render import backup

NONE, MANAGED, BEHIND = "release.E386", "release.E387", "release.E388"


class Backup(msgspec.Struct, frozen=True, kw_only=True):
    """One backup, as it says of itself."""

    schema: int = 1
    id: str
    """Its time: 20261121-020000, in UTC."""
    made: datetime
    """When it was whole."""
    seconds: float
    """How long it took."""
    bytes: int
    """Its size."""
    server: str
    """The version of the server it is of."""
    database: str
    holds: int
    """The size of the database then, in bytes."""
    tables: int
    rows: int
    """How many rows all tables had, counted in the snapshot that was dumped."""


class Backups(msgspec.Struct, frozen=True, kw_only=True):
    """What `nuages backup list --json` prints; it only grows under one `schema`."""

    schema: int = 1
    app: str
    environment: str
    namespace: str
    backups: list[Backup]


class Drilled(msgspec.Struct, frozen=True, kw_only=True):
    """What `nuages backup drill --json` prints."""

    schema: int = 1
    backup: Backup
    seconds: float
    """From an empty server to all rows counted."""
    holds: int
    """The size of the database that was made of it, in bytes."""


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """A backup that stands in a database of its own, whole."""

    backup: Backup
    into: str
    seconds: float
    missing: str
    """The migrations that the serving database has and this one has not, separated by spaces."""


class Switched(msgspec.Struct, frozen=True, kw_only=True):
    """Another database serves."""

    old: str
    """What the one that served is called now."""
    seconds: float
    """How long nobody could connect."""


def check(app: App) -> None:
    """Make sure that there may be backups to work with.

    Raises:
        Refused: the spec declares none, or the database is somebody else's.
    """
    ours(app)
    if backup.backups(app) is None:
        place = Place(path="services.postgres.run.backup")
        hint = "declare where they go, as {to: {volume: 20Gi}}, and deploy"
        said = f"no backups are declared for {app.name} in {app.environment}"
        raise Refused("no backups", findings=[Finding(NONE, Level.ERROR, said, place, hint)])


def ours(app: App) -> None:
    """Make sure that the database is run here, so that another one of its server may take its place.

    Raises:
        Refused: it is somebody else's, or there is none.
    """
    if app.postgres is None:
        there = "services.postgres.external" if "postgres" in app.external else "services.postgres"
        said = f"PostgreSQL of {app.name} in {app.environment} is not run by nuages"
        hint = "whoever runs it makes its backups"
        if store := app.cloudnativepg:
            there = "services.postgres.cloudnativepg"
            hint = f"its operator makes and restores them: kubectl cnpg backup -n {app.namespace} {store.name}"
        raise Refused("no backups", findings=[Finding(MANAGED, Level.ERROR, said, Place(path=there), hint)])


async def make(app: App, cluster: Cluster, sink: Sink) -> Backup:
    """Make a backup now, beside those at their time.

    Raises:
        Refused: see `check`.
        CommandFailed: it was not made; those there are stay.
    """
    check(app)
    with step(sink, "backup") as shown:
        made = told(
            await ran(app, backup.now(app, fresh(app, "backup"), await _image(app, cluster)), cluster, shown.say),
            Backup,
        )
        shown.note = made.id
    return made


async def listing(app: App, cluster: Cluster, sink: Sink) -> Backups:
    """Those that are whole, the newest first: asked where they are, not remembered."""
    check(app)
    with step(sink, "look at the backups") as shown:
        lines = await ran(
            app, backup.listing(app, fresh(app, "backups"), await _image(app, cluster)), cluster, shown.say
        )
        found = [msgspec.json.decode(line, type=Backup) for line in lines]
        shown.note = f"{len(found)} found"
    newest = sorted(found, key=lambda one: one.id, reverse=True)
    return Backups(app=app.name, environment=app.environment, namespace=app.namespace, backups=newest)


async def drill(app: App, which: str, cluster: Cluster, sink: Sink) -> Drilled:
    """Restore a backup into a server of its own, count what is there, and throw it away; "" is the newest.

    Raises:
        CommandFailed: it can't be restored, or is not what it was.
    """
    check(app)
    with step(sink, "restore it into a server of its own") as shown:
        job = backup.drill(app, fresh(app, "drill"), await _image(app, cluster), which)
        made = told(await ran(app, job, cluster, shown.say), Drilled)
        shown.note = f"{made.backup.rows} rows in {made.backup.tables} tables, as counted"
    return made


async def restore(app: App, which: str, into: str, cluster: Cluster, sink: Sink) -> Restored:
    """Restore a backup into a database that is not there yet, and count its rows; "" is the newest backup.

    Raises:
        CommandFailed: it can't be restored; what was made of it is gone again.
    """
    check(app)
    async with _alone(app, cluster, sink):
        with step(sink, f"restore into {into}") as shown:
            job = backup.restore(app, fresh(app, "restore"), await _image(app, cluster), which, into)
            made = told(await ran(app, job, cluster, shown.say), Restored)
            shown.note = f"{made.backup.rows} rows in {made.backup.tables} tables, as counted"
    return made


async def switch(app: App, new: str, cluster: Cluster, sink: Sink) -> Switched:
    """Let another database of the server be the app's; the one that was is kept under another name.

    Raises:
        Refused: the database is somebody else's.
        CommandFailed: nothing was switched; the one that served does.
    """
    ours(app)
    async with _alone(app, cluster, sink):
        with step(sink, f"switch to {new}") as shown:
            made = await switched(app, new, cluster, shown)
    return made


async def switched(app: App, new: str, cluster: Cluster, shown: Step) -> Switched:
    """The same, under a lock that is held: once it has begun it comes to its end, whoever leaves meanwhile."""
    job = backup.switch(app, fresh(app, "switch"), new, beside(app, "before"))
    made = told(await whole(app, job, cluster, shown.say), Switched)
    shown.note = f"nobody could connect for {made.seconds:.2f} s"
    return made


def beside(app: App, what: str) -> str:
    """What a database beside the app's is called: `blog_before_20261121_101500`. At most 63 bytes are a name."""
    return f"{app.name[:30]}_{what}_{utc():%Y%m%d_%H%M%S}"


def fits(restored: Restored) -> None:
    """Make sure that what serves can work with what was restored.

    Raises:
        Refused: the release that serves expects migrations that it has not; the database is there, and serves nobody.
    """
    if not restored.missing:
        return
    said = (
        f"backup {restored.backup.id} lacks migrations that the release which serves needs: {restored.missing.strip()}"
    )
    hint = f"nuages restore --switch {restored.into} --behind, then nuages deploy, which migrates it"
    finding = Finding(BEHIND, Level.ERROR, said, Place(path="services.postgres"), hint)
    raise Refused(f"restored into {restored.into}, and not switched", findings=[finding])


async def _image(app: App, cluster: Cluster) -> str:
    """The project's image, as the live schedule has it, where backups are in a bucket.

    Raises:
        Refused: no release has made the schedule yet.
    """
    if backup.bucket(app) is None:
        return ""
    live = await cluster.get("CronJob", app.namespace, f"{app.name}-backup")
    pod = live["spec"]["jobTemplate"]["spec"]["template"]["spec"] if live else {"containers": []}
    for container in pod["containers"]:
        if container["name"] == backup.COURIER:
            return str(container["image"])
    raise Refused(f"no release of {app.name} has brought its backups to the bucket yet", hint="nuages deploy")


def _alone(app: App, cluster: Cluster, sink: Sink) -> AbstractAsyncContextManager[lock.Lock]:
    """While no release is under way, which would migrate what is about to go."""
    return lock.held(cluster, app.namespace, lock.name(app.name), waiting=lambda line: sink(Said(line)))
