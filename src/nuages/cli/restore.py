"""`nuages restore`: bring a backup back."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nuages.cli.asked import done_option
from nuages.cli.console import console, duration
from nuages.cli.target import app_of, cluster_of, cluster_options, run

if TYPE_CHECKING:
    from nuages.release.keeping.backups import Backup

NAME = re.compile(r"[a-z_][a-z0-9_-]{0,62}")
"""Of a database: it begins as the app is called, so it may have what that has."""


@click.command()
@click.argument("id_", required=False, default="", metavar="[ID]")
@cluster_options
@click.option("--into", metavar="NAME", help="Restore into a database of this name, and switch nothing.")
@click.option("--switch", metavar="NAME", help="Restore nothing: let this database of the server be the app's.")
@click.option("--behind", is_flag=True, help="Switch though it lacks migrations; deploy afterwards.")
@click.option("--yes", "-y", is_flag=True, help="Don't ask.")
@done_option
def command(
    id_: str,
    *,
    file: Path,
    environment: str,
    context: str | None,
    into: str | None,
    switch: str | None,
    behind: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Bring a backup back; without ID, the newest. The database that served is kept under another name.

    First it is restored into a new database, and every row is counted. Only then the two change their names, in less
    than a second, in which requests that need the database fail. What was written since the backup is in the old one.

    \b
    nuages restore 20261121-020000           restored, counted, switched
    nuages restore --into look               beside the one that serves
    nuages restore --switch blog_before_...  back to what served
    """
    from nuages.app.parts import spoken
    from nuages.cli.sure import gone
    from nuages.errors import UsageError
    from nuages.release.keeping import backups

    if into and switch:
        raise UsageError("one of --into and --switch")
    for name in filter(None, (into, switch)):
        if not NAME.fullmatch(name):
            raise UsageError(f"{name} is no name for a database", hint="small letters, digits, _ and -, at most 63")
    app = app_of(file, environment)
    cluster = cluster_of(app, file, context)
    (backups.ours if switch else backups.check)(app)
    if into is None and not yes:
        where = f"{app.instance} in {cluster.context} ({cluster.server})"
        gone(f"Give {where} another database?", app.environment, done="restored")

    async def story() -> tuple[Backup | None, str, str | None]:
        async with cluster:
            new, backup = switch, None
            if new is None:
                made = await backups.restore(app, id_, into or backups.beside(app, "restored"), cluster, console.sink)
                backup = made.backup
                if not as_json:
                    console.print(f"backup {backup.id} is in database {made.into}, in {duration(made.seconds)}")
                if into:
                    return backup, into, None
                if not behind:
                    backups.fits(made)
                new = made.into
            switched = await backups.switch(app, new, cluster, console.sink)
            return backup, new, switched.old

    backup, database, before = run(story())
    if as_json:
        from nuages.cli import done

        told = {"backup": backup, "database": database, "serves": before is not None, "before": before}
        console.json(done.done(done.Restored, app, **told))
    elif before is not None:
        console.print(f"{app.name} has another database now; the one before is {before}")
        console.print(f"back: nuages restore --switch {before}{spoken(environment)}")
