"""`nuages createsuperuser`: the first account."""

from __future__ import annotations

import click

from nuages.cli.run import SETTINGS, command_of


@click.command(context_settings=SETTINGS)
@click.argument("arguments", nargs=-1, metavar="[ARGUMENTS]...", type=click.UNPROCESSED)
@command_of("1h")
def command(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """Make an administrator's account; asks in a terminal, and takes Django's own options.

    With --noinput it reads DJANGO_SUPERUSER_USERNAME, _EMAIL and _PASSWORD from the environment that the spec declares.
    """
    return ("python", "manage.py", "createsuperuser", *arguments)
