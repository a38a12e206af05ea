"""`nuages rollback`: an earlier release, brought live as a new one."""

from __future__ import annotations

from pathlib import Path

import click

from nuages.cli.console import console
from nuages.cli.target import app_of, cluster_of, cluster_options, run


@click.command()
@click.argument("release", type=int, required=False)
@cluster_options
def command(release: int | None, file: Path, environment: str, context: str | None) -> None:
    """Bring RELEASE back (default: the one before): its image, configuration and secrets, as they were.

    Refused where the database has moved on from what its code expects.
    """
    from nuages.cli.status import live
    from nuages.release.rollback import rollback

    app = app_of(file, environment)
    cluster = cluster_of(app, file, context)

    async def story() -> None:
        async with cluster:
            record = await rollback(app, release, cluster, console.sink)
            for line in await live(app, cluster, record):
                console.print(line)

    run(story())
