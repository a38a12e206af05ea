"""`nuages unlock`: releases may go on."""

from __future__ import annotations

from pathlib import Path

import click

from nuages.cli.console import console
from nuages.cli.target import app_of, cluster_of, cluster_options, run


@click.command()
@cluster_options
@click.option("--force", is_flag=True, help="Open another's lock too, also that of a release under way.")
@click.option("--json", "as_json", is_flag=True, help="Print who had it as JSON.")
def command(*, file: Path, environment: str, context: str | None, force: bool, as_json: bool) -> None:
    """Open the environment again, which `nuages lock` closed.

    A release under way whose lock is opened by force stops at its next write, and the next deploy goes on with it.
    """
    from nuages.release.locks.hold import give_back
    from nuages.release.locks.lock import name
    from nuages.release.status import held_by

    app = app_of(file, environment)
    cluster = cluster_of(app, file, context)

    async def story() -> None:
        async with cluster:
            says = await give_back(cluster, app.namespace, name(app.name), force=force)
        if as_json:
            console.json({"schema": 1, "lock": held_by(says)._asdict() if says else None})
        else:
            before = f"; {says.who} had it since {says.since}{says.what}" if says else ", and was before"
            console.print(f"{app.instance} is open{before}")

    run(story())
