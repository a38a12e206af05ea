"""`nuages destroy`: take an environment away."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nuages.cli.asked import done_option
from nuages.cli.console import console
from nuages.cli.sure import gone
from nuages.cli.target import app_of, cluster_of, cluster_options, run

if TYPE_CHECKING:
    from nuages.app.objects import Object


@click.command()
@cluster_options
@click.option("--data", is_flag=True, help="Remove volumes and generated secrets too. There is no way back.")
@click.option("--yes", "-y", is_flag=True, help="Don't ask.")
@done_option
def command(*, file: Path, environment: str, context: str | None, data: bool, yes: bool, as_json: bool) -> None:
    """Remove an environment; its data only when named by --data.

    What holds data (volumes, generated secrets) stays, and a later deploy finds it again.
    """
    from nuages.release.destroy import contents, destroy

    app = app_of(file, environment)
    cluster = cluster_of(app, file, context)

    async def look() -> tuple[list[str], list[str]]:
        async with cluster_of(app, file, context) as first:
            remade, kept = map(_names, await contents(app, first))
        return ([*remade, *kept], []) if data else (remade, kept)

    goes, stays = run(look())
    for name in goes:
        click.echo(f"- {name}", err=as_json)
    for name in stays:
        click.echo(f"  {name} stays (it holds data)", err=as_json)
    if not yes and (goes or stays):
        where = f"{app.instance} in {cluster.context} ({cluster.server})"
        gone(f"Remove this, of {where}?", app.environment)

    async def story() -> None:
        async with cluster:
            await destroy(app, cluster, console.sink, data=data)

    run(story())
    if as_json:
        from nuages.cli import done

        console.json(done.done(done.Destroyed, app, removed=goes, kept=stays))


def _names(items: list[Object]) -> list[str]:
    return [f"{item['kind']}/{item['metadata']['name']}" for item in items]
