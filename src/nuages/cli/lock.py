"""`nuages lock`: nobody releases until it is opened again."""

from __future__ import annotations

from pathlib import Path

import click

from nuages.cli.asked import wait_option, wish
from nuages.cli.console import console
from nuages.cli.target import app_of, cluster_of, cluster_options, run


@click.command()
@cluster_options
@click.option("--message", "-m", required=True, help="Why; whoever wants to release reads it.")
@wait_option
@click.option("--json", "as_json", is_flag=True, help="Print who has it as JSON.")
def command(
    *, file: Path, environment: str, context: str | None, message: str, wait: str | None, as_json: bool
) -> None:
    """Let nobody release into the environment, until `nuages unlock`.

    What serves goes on serving, and runs nothing less: only deploy, rollback and their like are refused, or wait.

    \b
    nuages lock -m "incident 42, hands off"
    nuages lock -e production -m "index is being built" --wait
    """
    from nuages.progress import step
    from nuages.release.locks.hold import hold
    from nuages.release.locks.lock import name
    from nuages.release.status import held_by

    app = app_of(file, environment)
    cluster = cluster_of(app, file, context)
    wanted = wish(message, wait)

    async def story() -> None:
        async with cluster:
            with step(console.sink, "lock") as shown:
                says = await hold(cluster, app.namespace, name(app.name), wanted, waiting=shown.say)
        if as_json:
            console.json({"schema": 1, "lock": held_by(says)._asdict()})
        else:
            console.print(f"{app.instance} is locked by {says.who}, since {says.since}: {says.message}")

    run(story())
