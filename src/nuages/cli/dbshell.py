"""`nuages dbshell`: the database's own client."""

from __future__ import annotations

from pathlib import Path

import click

from nuages.cli.run import SETTINGS, execute, run_options
from nuages.cli.target import app_of, cluster_of


@click.command(context_settings=SETTINGS)
@click.argument("arguments", nargs=-1, metavar="[ARGUMENTS]...", type=click.UNPROCESSED)
@run_options("8h")
def command(
    arguments: tuple[str, ...],
    *,
    file: Path,
    environment: str,
    context: str | None,
    ttl: str,
    memory: str | None,
) -> int:
    """The database's client in a pod of its own: psql of the server's version, where PostgreSQL runs in the cluster.

    What stands behind it is psql's: nuages dbshell -c "select 1". Without PostgreSQL in the cluster, Django's dbshell.
    """
    from nuages.release.run import in_database

    app = app_of(file, environment)
    cluster = cluster_of(app, file, context)
    return execute(app, cluster, arguments, ttl=ttl, memory=memory, kind=in_database)
