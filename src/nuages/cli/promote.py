"""`nuages promote`: on with the release that waits."""

from __future__ import annotations

from pathlib import Path

import click

from nuages.cli.asked import json_option, sink, teller, wish, wish_options
from nuages.cli.console import console
from nuages.cli.sure import sure, sure_option
from nuages.cli.target import app_of, cluster_of, cluster_options, run


@click.command()
@cluster_options
@click.option("--all", "whole", is_flag=True, help="All at once, whatever steps are left.")
@sure_option
@wish_options
@json_option
def command(
    *,
    file: Path,
    environment: str,
    context: str | None,
    whole: bool,
    yes: bool,
    message: str,
    wait: str | None,
    as_json: bool,
) -> None:
    """Go on with the release that waits: the next share of the requests, or after the last one all of it.

    The new release takes the place of the old one, and the set beside it goes. Tasks that wait in the set's own queue
    are put before the new workers.
    """
    from nuages.cli.status import live
    from nuages.release.events import told
    from nuages.release.trials.promotion import promote

    wanted, events = wish(message, wait), teller(as_json)
    with told(events):
        app = app_of(file, environment)
        cluster = cluster_of(app, file, context)
        sure(app, cluster, "Go on with the release of", yes=yes)

        async def story() -> None:
            async with cluster:
                record = await promote(app, cluster, sink(events), whole=whole, wish=wanted)
                for line in [] if as_json else await live(app, cluster, record):
                    console.print(line)

        run(story())
