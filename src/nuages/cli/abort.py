"""`nuages abort`: the release that waits is taken back."""

from __future__ import annotations

from pathlib import Path

import click

from nuages.cli.asked import wish, wish_options
from nuages.cli.console import console
from nuages.cli.target import app_of, cluster_of, cluster_options, run


@click.command()
@cluster_options
@wish_options
def command(file: Path, environment: str, context: str | None, message: str, wait: str | None) -> None:
    """Take the release that waits back; the one that serves goes on as before.

    No request reaches the set beside it any more, its workers end the tasks that it sent, and then it goes. During
    maintenance it brings the old release back, as long as no migration has run.
    """
    from nuages.release.trials.promotion import abort

    app = app_of(file, environment)
    cluster = cluster_of(app, file, context)

    async def story() -> None:
        async with cluster:
            record = await abort(app, cluster, console.sink, wish=wish(message, wait))
            back = f"release {record.restores} is back, as release {record.number}" if record.restores else ""
            console.print(back or f"Release {record.number} was aborted; what served before serves all requests.")

    run(story())
