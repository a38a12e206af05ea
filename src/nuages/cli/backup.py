"""`nuages backup`: make one, list them, try one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nuages.cli.console import console, duration
from nuages.cli.default import WithDefault
from nuages.cli.target import app_of, cluster_of, cluster_options, run

if TYPE_CHECKING:
    from nuages.release.keeping.backups import Backup, Backups, Drilled


class Making(WithDefault):
    """Makes one where no command is named: `nuages backup -e production` is enough."""

    default = "now"


@click.group(cls=Making)
def command() -> None:
    """The database's backups: make one now (also without a word), list them, drill."""


@command.command()
@cluster_options
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def now(file: Path, environment: str, context: str | None, as_json: bool) -> None:
    """Make a backup now, beside those at their time, and see that all of it can be read.

    It goes where services.postgres.run.backup says; the oldest beyond `keep` go once it is whole.
    """
    from nuages.release.keeping import backups

    app = app_of(file, environment)
    cluster = cluster_of(app, file, context)

    async def story() -> Backup:
        async with cluster:
            return await backups.make(app, cluster, console.sink)

    made = run(story())
    if as_json:
        console.json(made)
    else:
        console.print(_line(made))


@command.command("list")
@cluster_options
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def list_(file: Path, environment: str, context: str | None, as_json: bool) -> None:
    """Each backup that is whole, the newest first: asked where they are."""
    from nuages.release.keeping import backups

    app = app_of(file, environment)
    cluster = cluster_of(app, file, context)

    async def story() -> Backups:
        async with cluster:
            return await backups.listing(app, cluster, console.sink)

    found = run(story())
    if as_json:
        console.json(found)
        return
    for one in found.backups:
        console.print(_line(one))
    if not found.backups:
        console.print(f"no backup of {app.name} in {app.environment} yet; nuages backup makes one")


@command.command()
@click.argument("id_", required=False, default="", metavar="[ID]")
@cluster_options
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def drill(id_: str, file: Path, environment: str, context: str | None, as_json: bool) -> None:
    """Prove a backup: restore it into a server of its own, count every row, and throw that away.

    Without ID, the newest. The server is in the drill's own pod: the database that serves is not asked.
    """
    from nuages.release.keeping import backups

    app = app_of(file, environment)
    cluster = cluster_of(app, file, context)

    async def story() -> Drilled:
        async with cluster:
            return await backups.drill(app, id_, cluster, console.sink)

    made = run(story())
    if as_json:
        console.json(made)
        return
    one = made.backup
    console.print(
        f"backup {one.id} is good: {one.rows} rows in {one.tables} tables, {size(made.holds)}, "
        f"restored and counted in {duration(made.seconds)}"
    )


def _line(one: Backup) -> str:
    rows = f"{one.rows} rows in {one.tables} tables"
    return f"{one.id}  {size(one.bytes)} of {size(one.holds)}  {rows}  {duration(one.seconds)}  PostgreSQL {one.server}"


def size(number: int) -> str:
    """Bytes as a person says them: 812 KiB, 4.2 MiB, 1.0 GiB."""
    amount, unit = float(number), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if amount < 1024:
            break
        amount, unit = amount / 1024, larger
    return f"{amount:.0f} {unit}" if amount >= 100 or unit == "B" else f"{amount:.1f} {unit}"
