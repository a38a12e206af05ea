"""`nuages abort`: the release that waits is taken back."""

from __future__ import annotations

from pathlib import Path

import click

from nuages.cli.asked import json_option, sink, teller, wish, wish_options
from nuages.cli.console import console
from nuages.cli.target import app_of, cluster_of, cluster_options, run


@click.command()
@cluster_options
@wish_options
@json_option
def command(
    *, file: Path, environment: str, context: str | None, message: str, wait: str | None, as_json: bool
) -> None:
    """Take the release that waits back; the one that serves goes on as before.

    No request reaches the set beside it any more, its workers end the tasks that it sent, and then it goes. During
    maintenance it brings the old release back, as long as no migration has run.
    """
    from nuages.release.events import told
    from nuages.release.trials.promotion import abort

    wanted, events = wish(message, wait), teller(as_json)
    with told(events):
        app = app_of(file, environment)
        cluster = cluster_of(app, file, context)

        async def story() -> None:
            async with cluster:
                record = await abort(app, cluster, sink(events), wish=wanted)
            if as_json:
                return
            back = f"release {record.restores} is back, as release {record.number}" if record.restores else ""
            console.print(back or f"Release {record.number} was aborted; what served before serves all requests.")

        run(story())
