"""`nuages dbshell`: the database's own client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from nuages.cli.run import SETTINGS, command_of

if TYPE_CHECKING:
    from nuages.release.run import Kind


def _database() -> Kind:
    from nuages.release.run import in_database

    return in_database


@click.command(context_settings=SETTINGS)
@click.argument("arguments", nargs=-1, metavar="[ARGUMENTS]...", type=click.UNPROCESSED)
@command_of("8h", kind=_database)
def command(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """The database's client in a pod of its own: psql of the server's version, where PostgreSQL runs in the cluster.

    What stands behind it is psql's: nuages dbshell -c "select 1". Without PostgreSQL in the cluster, Django's dbshell.
    """
    return arguments
