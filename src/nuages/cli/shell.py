"""`nuages shell`: Django's shell beside the release."""

from __future__ import annotations

import click

from nuages.cli.run import SETTINGS, command_of


@click.command(context_settings=SETTINGS)
@click.argument("arguments", nargs=-1, metavar="[ARGUMENTS]...", type=click.UNPROCESSED)
@command_of("8h")
def command(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """Django's shell in a pod of its own, with what is live. Enter ~ . leaves it and lets it go on."""
    return ("python", "manage.py", "shell", *arguments)
