"""`nuages manage`: a management command beside the release."""

from __future__ import annotations

from pathlib import Path

import click

from nuages.cli.run import SETTINGS, detach_option, execute, run_options
from nuages.cli.target import app_of, cluster_of


@click.command(context_settings=SETTINGS)
@click.argument("arguments", nargs=-1, required=True, metavar="COMMAND...", type=click.UNPROCESSED)
@run_options("1h")
@detach_option
def command(
    arguments: tuple[str, ...],
    *,
    file: Path,
    environment: str,
    context: str | None,
    ttl: str,
    memory: str | None,
    detach: bool,
) -> int:
    """Run a management command of the project in a pod of its own: manage.py, with what is live.

    \b
    nuages manage check --deploy
    nuages manage loaddata --format json - < posts.json
    nuages manage -e production changepassword ada
    """
    app = app_of(file, environment)
    cluster = cluster_of(app, file, context)
    return execute(app, cluster, ("python", "manage.py", *arguments), ttl=ttl, memory=memory, detach=detach)
