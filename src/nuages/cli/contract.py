"""`nuages contract`: the last step of migrations, when a person says so."""

from __future__ import annotations

from pathlib import Path

import click

from nuages.cli.asked import json_option, sink, teller
from nuages.cli.console import console
from nuages.cli.sure import sure, sure_option
from nuages.cli.target import app_of, cluster_of, cluster_options, run


@click.command()
@cluster_options
@sure_option
@json_option
def command(file: Path, environment: str, context: str | None, *, yes: bool, as_json: bool) -> None:
    """Take away what migrations removed and nothing that runs needs any more: columns, tables, constraints to come.

    By default the next release does it, as its first step. With `migrations.contract: manual` only this command does.
    What is dropped is put aside for 30 days, in the schema nuages_aside of the database.

    \b
    nuages contract
    nuages contract -e production
    """
    from nuages.release.contracting import contract
    from nuages.release.events import told

    events = teller(as_json)
    with told(events):
        app = app_of(file, environment)
        cluster = cluster_of(app, file, context)
        sure(app, cluster, "Take away what nothing needs in", yes=yes)

        async def story() -> None:
            async with cluster:
                report = await contract(app, cluster, sink(events))
            for note in [] if as_json else report.notes:
                console.print(note)

        run(story())
