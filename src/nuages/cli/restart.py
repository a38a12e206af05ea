"""`nuages restart`: pods made anew, without a release."""

from __future__ import annotations

from pathlib import Path

import click

from nuages.cli.console import console
from nuages.cli.sure import sure, sure_option
from nuages.cli.target import app_of, cluster_of, cluster_options, run


@click.command()
@click.argument("names", nargs=-1, metavar="[COMPONENT]...")
@cluster_options
@sure_option
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def command(
    names: tuple[str, ...], *, file: Path, environment: str, context: str | None, yes: bool, as_json: bool
) -> None:
    """Make pods anew, a few at a time, and wait until all are ready: the same version, the same configuration.

    No request is lost, and a task that is under way is finished. Without a COMPONENT all of the release's own, workers
    first; data stores are left alone. Where new pods can't start, the old ones go on.

    \b
    nuages restart                 workers, webs, front ends, beat
    nuages restart worker-mail     that one
    """
    from nuages.release import restarting

    app = app_of(file, environment)
    cluster = cluster_of(app, file, context)
    sure(app, cluster, "Restart the pods of", yes=yes)

    async def story() -> list[str]:
        async with cluster:
            return await restarting.restart(app, names, cluster, console.sink)

    done = run(story())
    if as_json:
        console.json({"schema": 1, "restarted": done})
        return
    console.print(f"restarted: {', '.join(done)}" if done else "nothing runs that could be restarted")
