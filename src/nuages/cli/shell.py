"""`nuages shell`: Django's shell beside the release."""

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
    """Django's shell in a pod of its own, with what is live. Enter ~ . leaves it and lets it go on."""
    app = app_of(file, environment)
    cluster = cluster_of(app, file, context)
    return execute(app, cluster, ("python", "manage.py", "shell", *arguments), ttl=ttl, memory=memory)
