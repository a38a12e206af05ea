"""`nuages destroy`: take an environment away."""

from __future__ import annotations

from pathlib import Path

import click

from nuages.cli.console import console
from nuages.cli.sure import gone
from nuages.cli.target import app_of, cluster_of, cluster_options, run


@click.command()
@cluster_options
@click.option("--data", is_flag=True, help="Remove volumes and generated secrets too. There is no way back.")
@click.option("--yes", "-y", is_flag=True, help="Don't ask.")
def command(file: Path, environment: str, context: str | None, data: bool, yes: bool) -> None:
    """Remove an environment; its data only when named by --data.

    What holds data (volumes, generated secrets) stays, and a later deploy finds it again.
    """
    from nuages.release.destroy import contents, destroy

    app = app_of(file, environment)
    cluster = cluster_of(app, file, context)

    async def story() -> None:
        async with cluster:
            remade, kept = await contents(app, cluster)
            for item in [*remade, *(kept if data else [])]:
                console.print(f"- {item['kind']}/{item['metadata']['name']}")
            if not data:
                for item in kept:
                    console.print(f"  {item['kind']}/{item['metadata']['name']} stays (it holds data)")
            if not yes:
                gone(f"Remove this from {cluster.context}?", app.instance)
            await destroy(app, cluster, console.sink, data=data)

    run(story())
