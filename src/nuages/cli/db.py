"""`nuages db`: the database as a whole."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nuages.cli.asked import done_option
from nuages.cli.backup import command as backup
from nuages.cli.backup import size as amount
from nuages.cli.console import console, duration, harmless
from nuages.cli.restore import command as restore
from nuages.cli.target import app_of, cluster_of, cluster_options, run

if TYPE_CHECKING:
    from nuages.release.database import Locks, Session, Size
    from nuages.release.database_copy import CopiedDatabase


@click.group()
def command() -> None:
    """The database: its size, who waits for whom, its backups, a copy of another environment's, what was kept."""


@command.command()
@cluster_options
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def size(file: Path, environment: str, context: str | None, as_json: bool) -> None:
    """How large the database is, its largest tables, and what else lies on its server."""
    from nuages.cli.narrow import room
    from nuages.progress import silent
    from nuages.release import database

    app = app_of(file, environment)
    cluster = cluster_of(app, file, context)

    async def story() -> Size:
        async with cluster:
            return await database.size(app, cluster, silent)

    found = run(story())
    if as_json:
        console.json(found)
        return
    for line in _sizes(found, room(sys.stdout)):
        console.print(line)


@command.command()
@cluster_options
@click.option("--end", type=int, metavar="PID", help="End this session; what it has not committed is undone.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def locks(file: Path, environment: str, context: str | None, end: int | None, as_json: bool) -> None:
    """Who waits for a lock and for whom, with pod and statement; and who keeps a transaction open, doing nothing.

    \b
    nuages db locks -e production
    nuages db locks -e production --end 4711
    """
    from nuages.errors import UsageError
    from nuages.progress import silent
    from nuages.release import database

    app = app_of(file, environment)
    cluster = cluster_of(app, file, context)

    async def story() -> Locks | None:
        async with cluster:
            if end is None:
                return await database.locks(app, cluster, silent)
            if not await database.end(app, end, cluster, silent):
                raise UsageError(f"there is no session {end}", hint="nuages db locks")
            return None

    found = run(story())
    if found is None and as_json:
        where = {"app": app.name, "environment": app.environment, "namespace": app.namespace}
        told = {"schema": 1, **where, "ended": end}
        console.json(told)
    elif found is None:
        console.print(f"session {end} is ended")
    elif as_json:
        console.json(found)
    else:
        for line in _waiting(found):
            console.print(line)


@command.command()
@click.argument("source", metavar="[FROM]", required=False, default="")
@cluster_options
@click.option("--anyway", is_flag=True, help="Copy though the two have different migrations; deploy afterwards.")
@click.option("--yes", "-y", is_flag=True, help="Don't ask.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def copy(
    source: str, *, file: Path, environment: str, context: str | None, anyway: bool, yes: bool, as_json: bool
) -> None:
    """Copy another environment's database over this one's, anonymised as nuages.yaml says.

    FROM is the environment below databases.default.cloneFrom, which says whose data may come here, and beside it what
    is done to it before. What served goes on until the copy is whole, and is kept under another name.

    \b
    nuages db copy -e staging             as it is written
    nuages db copy production -e staging  refused where another one is written
    """
    from nuages.app.parts import spoken
    from nuages.cli.origin import origin_of
    from nuages.cli.sure import gone
    from nuages.release import binding, database_copy

    app = app_of(file, environment)
    name = database_copy.source(app, source)
    origin = origin_of(app, file)
    assert origin is not None  # noqa: S101 - it has a name
    cluster = cluster_of(app, file, context)
    binding.together(origin.source, app, cluster, file.absolute().parent)

    async def asked() -> None:
        async with cluster_of(app, file, context) as first:
            await database_copy.check(app, origin, first)

    run(asked())
    if not yes:
        where = f"{app.instance} in {cluster.context} ({cluster.server})"
        gone(f"Put a copy of {name}'s database in the place of {where}?", app.environment, done="copied")

    async def story() -> CopiedDatabase:
        async with cluster:
            return await database_copy.copy(app, origin, cluster, console.sink, anyway=anyway)

    made = run(story())
    if as_json:
        console.json(made)
        return
    console.print(f"{app.instance} has the data of {name}; what it had is {made.kept}")
    console.print(f"back: nuages restore --switch {made.kept}{spoken(environment)}")
    console.print(f"when nobody needs it: nuages db drop {made.kept}{spoken(environment)}")


@command.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@cluster_options
@click.option("--yes", "-y", is_flag=True, help="Don't ask.")
@done_option
def drop(
    names: tuple[str, ...], *, file: Path, environment: str, context: str | None, yes: bool, as_json: bool
) -> None:
    """Drop databases of the server that the app does not use: those that a restore or a copy has kept.

    `nuages db size` names them. The app's own is never one, nor one that somebody is connected to.

    \b
    nuages db drop blog_before_20261121_101519 -e staging
    """
    from nuages.cli.done import Dropped, done
    from nuages.cli.sure import gone
    from nuages.release.keeping import aside

    names = tuple(dict.fromkeys(names))  # the second of one name would not be there any more
    app = app_of(file, environment)
    aside.check(app, names)
    cluster = cluster_of(app, file, context)
    if not yes:
        where = f"{app.instance} in {cluster.context} ({cluster.server})"
        gone(f"Drop {', '.join(names)}, beside the database of {where}?", app.environment, done="dropped")

    async def story() -> int:
        async with cluster:
            return await aside.drop(app, names, cluster, console.sink)

    freed = run(story())
    if as_json:
        console.json(done(Dropped, app, dropped=list(names), bytes=freed))
        return
    console.print(f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} gone, {amount(freed)}")


command.add_command(backup, "backup")
command.add_command(restore, "restore")


def _sizes(found: Size, width: int | None = None) -> list[str]:
    from nuages.cli.narrow import table

    of = f" on a volume of {found.volume}" if found.volume else ""
    lines = [f"{found.database}  {amount(found.bytes)}{of}, {found.count} tables"]
    rows = []
    for one in found.tables:
        dead = f", {one.dead} dead" if one.dead > max(one.rows // 5, 1000) else ""
        told = (
            f"{amount(one.bytes):>9}",
            f"{amount(one.indexes) + ' of it indexes':<22}",
            f"about {one.rows} rows{dead}",
        )
        rows.append((f"  {one.name}", *told))
    lines += table(rows, width)
    rest = found.count - len(found.tables)
    lines += [f"  and {rest} smaller"] if rest > 0 else []
    lines += [f"{other.name}  {amount(other.bytes)}, another database of the server" for other in found.others]
    return lines


def _waiting(found: Locks) -> list[str]:
    from nuages.release.database import chains

    if not found.sessions:
        return ["nobody waits for a lock"]
    return [line for depth, one in chains(found.sessions) for line in _session(depth, one)]


def _session(depth: int, one: Session) -> list[str]:
    """Whoever is waited for, and below whoever waits."""
    indent = "  " * depth
    where = one.pod or one.address or "the server itself"
    since = f", for {duration(one.seconds)}" if one.seconds is not None else ""
    does = "holds" if not one.blocked_by else "waits"
    what = ""
    if one.wanted:
        what = f" for {one.wanted.mode}" + (f" on {one.wanted.relation}" if one.wanted.relation else "")
    return [
        f"{indent}{one.pid}  {where}  {does}{what}{since}  ({one.state or 'works'})",
        f"{indent}    {harmless(one.query)[:160]}",
    ]
