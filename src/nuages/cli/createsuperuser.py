"""`nuages createsuperuser`: the first account."""

from __future__ import annotations

from pathlib import Path

import click

from nuages.cli.run import SETTINGS, execute, run_options
from nuages.cli.target import app_of, cluster_of


@click.command(context_settings=SETTINGS)
@click.argument("arguments", nargs=-1, metavar="[ARGUMENTS]...", type=click.UNPROCESSED)
@run_options("1h")
def command(
    arguments: tuple[str, ...],
    *,
    file: Path,
    environment: str,
    context: str | None,
    ttl: str,
    memory: str | None,
) -> int:
    """Make an administrator's account; asks in a terminal, and takes Django's own options.

    With --noinput it reads DJANGO_SUPERUSER_USERNAME, _EMAIL and _PASSWORD from the environment that the spec declares.
    """
    app = app_of(file, environment)
    cluster = cluster_of(app, file, context)
    return execute(app, cluster, ("python", "manage.py", "createsuperuser", *arguments), ttl=ttl, memory=memory)
