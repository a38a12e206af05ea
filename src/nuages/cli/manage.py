"""`nuages manage`: a management command beside the release."""

from __future__ import annotations

import click

from nuages.cli.run import SETTINGS, command_of, detach_option


@click.command(context_settings=SETTINGS)
@click.argument("arguments", nargs=-1, required=True, metavar="COMMAND...", type=click.UNPROCESSED)
@command_of("1h")
@detach_option
def command(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """Run a management command of the project in a pod of its own: manage.py, with what is live.

    \b
    nuages manage check --deploy
    nuages manage loaddata --format json - < posts.json
    nuages manage -e production changepassword ada
    """
    return ("python", "manage.py", *arguments)
