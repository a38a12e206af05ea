"""One environment's database, copied over that of another one, which serves.

The copy is brought as to a new environment, by the same Job behind the same walls, but into a database beside the one
that serves; then the two change their names, as after a restore. Until that moment nothing has changed for anybody, so
it may be stopped anywhere, and what an attempt has left is dropped: by itself, or by the next one.
"""

from __future__ import annotations

import asyncio
import contextlib

import msgspec

from nuages.app.components import App
from nuages.errors import NuagesError, Refused
from nuages.findings import Finding, Level, Place
from nuages.kube.client import Cluster
from nuages.progress import Sink, step
from nuages.release.byhand import changing
from nuages.release.environments import cloning, marks
from nuages.release.environments.cloning import Origin, Say
from nuages.release.keeping.backups import beside, switched
from nuages.release.keeping.jobs import fresh, ran, told
from nuages.render import backup
from nuages.render.clone import Clone
from nuages.render.clone_scripts import DROP

NOT_WRITTEN, UNLIKE, AWAY = "release.E470", "release.E471", "release.E472"
PLACE = "databases.default.cloneFrom"


class CopiedDatabase(msgspec.Struct, frozen=True, kw_only=True):
    """What `nuages db copy --json` prints; it only grows under one `schema`."""

    schema: int = 1
    app: str
    environment: str
    """Which one has the data now."""
    namespace: str
    source: str
    """Where it is from."""
    tables: int
    rows: int
    """Of all tables, counted in the copy."""
    bytes: int
    """The size of the copy."""
    kept: str
    """What the database that served is called now."""
    seconds: float
    """How long nobody could connect."""


class Brought(msgspec.Struct, frozen=True, kw_only=True):
    """What the Job says at its end."""

    missing: str
    """Migrations that the database which serves has and the copy has not, separated by spaces."""
    ahead: str
    """The other way round."""
    bytes: int | None = None
    """None where nothing was copied, because of these."""
    tables: int = 0
    rows: int = 0


def source(app: App, asked: str) -> str:
    """The environment whose database is copied to this one: the one that is written in the spec; `asked` names it too.

    Raises:
        Refused: none is written there, or another one.
    """
    written = cloning.source_of(app).environment
    if written and asked in ("", written):
        return written
    if written:
        said = f"{app.environment} gets a copy of {written}, not of {asked}"
        hint = f"nuages db copy {written} -e {app.environment}"
    else:
        said = f"nothing says that {app.environment} gets another environment's data, and what is done to it before"
        other = asked if asked not in ("", app.environment) else "staging"
        sketch = f"{{cloneFrom: {other}, anonymise: {{sql: deploy/anonymise.sql}}}}"
        hint = f"environments.{app.template or app.environment}.databases.default: {sketch}"
    raise _refused(NOT_WRITTEN, said, hint)


async def check(app: App, origin: Origin, cluster: Cluster) -> None:
    """Make sure that both databases are there, before anything is held or made.

    Raises:
        Refused: one of them is not.
    """
    await cloning.possible(origin.source, tuple(cloning.source_of(app).manage or ()), cluster)
    live = await cluster.get("StatefulSet", app.namespace, app.postgres.name) if app.postgres else None
    if live is None or not live.get("status", {}).get("readyReplicas"):
        state = "sleeps, or is not ready" if live else "is not in the cluster"
        raise _refused(AWAY, f"the database of {app.environment} {state}", f"nuages status -e {app.environment}")


async def copy(app: App, origin: Origin, cluster: Cluster, sink: Sink, *, anyway: bool = False) -> CopiedDatabase:
    """Copy it, and let the copy be the app's database; the one that was is kept under another name.

    Args:
        app: the environment that gets it.
        origin: whose data it is, and the statements that anonymise it.
        cluster: where both of them live.
        sink: who is told how it goes.
        anyway: whether the two may have different migrations.

    Raises:
        Refused: see `check`, the migrations differ, nothing serves, or a release is in the middle.
        CommandFailed: it can't be copied, or not anonymised; the database that served does, as it was.
    """
    await check(app, origin, cluster)
    name = origin.source.environment
    into = beside(app, "copying")
    before = into[: into.rindex("_copying_")] + "_copying_"
    async with changing(app, ("db", "copy", name), cluster, sink) as (world, _):
        wanted = await cloning.planned(origin, app, cluster)
        wanted = msgspec.structs.replace(wanted, into=into, before=before, anyway=anyway)
        try:
            with step(sink, f"copy the database of {name}", expected=20) as shown:
                brought = await _brought(wanted, origin.sql, cluster, shown.say)
                shown.note = f"{brought.rows} rows in {brought.tables} tables"
            await world.lock.check()
            with step(sink, f"switch to {into}") as shown:
                serves = await switched(app, into, cluster, shown)
        except Refused:
            raise
        except BaseException:
            await asyncio.shield(_dropped(app, before, cluster))
            raise
        if app.template:
            await marks.mark(app, cluster, cloned=name)
    return CopiedDatabase(
        app=app.name,
        environment=app.environment,
        namespace=app.namespace,
        source=name,
        tables=brought.tables,
        rows=brought.rows,
        bytes=brought.bytes or 0,
        kept=serves.old,
        seconds=serves.seconds,
    )


async def _dropped(app: App, before: str, cluster: Cluster) -> None:
    """What was made of the copy goes; where even that can't be had, with the next attempt."""
    with contextlib.suppress(NuagesError):
        await ran(app, backup.beside(app, fresh(app, "copy"), DROP, before), cluster, lambda _: None)


async def _brought(wanted: Clone, sql: str, cluster: Cluster, say: Say) -> Brought:
    """Copy it, unless they have not the same migrations: the code that serves may not work with those tables."""
    found = told(await cloning.brought(wanted, sql, cluster, say), Brought)
    if found.bytes is not None:
        return found
    name, here = wanted.source.environment, wanted.target.environment
    lacks = f"lacks {_first(found.missing)}, which {here} has" if found.missing else ""
    more = f"has {_first(found.ahead)}, which {here} has not" if found.ahead else ""
    said = f"the database of {name} {', and '.join(filter(None, (lacks, more)))}"
    raise _refused(UNLIKE, said, "deploy the same version to both, or copy with --anyway and deploy then")


def _first(names: str) -> str:
    """Three of them, and how many more."""
    found = names.split()
    return ", ".join(found[:3]) + (f" and {len(found) - 3} more" if len(found) > 3 else "")


def _refused(id_: str, said: str, hint: str) -> Refused:
    return Refused("nothing was copied", findings=[Finding(id_, Level.ERROR, said, Place(path=PLACE), hint)])
