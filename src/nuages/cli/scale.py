"""`nuages scale`: another number of pods, until the next release."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nuages.cli.console import console
from nuages.cli.sure import sure, sure_option
from nuages.cli.target import app_of, cluster_of, cluster_options, run

if TYPE_CHECKING:
    from nuages.release.resizing import Scaled


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="COMPONENT=NUMBER...")
@cluster_options
@sure_option
@click.option("--reset", is_flag=True, help="Back to what the release has; then COMPONENT alone.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def command(
    words: tuple[str, ...], *, file: Path, environment: str, context: str | None, yes: bool, reset: bool, as_json: bool
) -> None:
    """Give components another number of pods, and wait until they are ready.

    Says whether it holds: the next release brings the number of nuages.yaml back, and an autoscaler changes it when it
    sees fit. More than the database has connections for is refused.

    \b
    nuages scale web=5
    nuages scale web-main=5 worker-mail=2
    nuages scale --reset web
    """
    from nuages.release import resizing

    wanted = resizing.asked(words, reset=reset)
    app = app_of(file, environment)
    cluster = cluster_of(app, file, context)
    sure(app, cluster, "Scale", yes=yes)

    async def story() -> list[Scaled]:
        async with cluster:
            return await resizing.scale(app, wanted, cluster, console.sink)

    done = run(story())
    if as_json:
        console.json({"schema": 1, "scaled": [one._asdict() for one in done]})
        return
    for one in done:
        change = f"{one.before} -> {one.now}" if one.before != one.now else f"{one.now}, as before"
        console.print(f"{one.part}: {change}; {one.until}")
