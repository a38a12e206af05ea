"""`nuages exec`: a command in a pod that serves, for when one must."""

from __future__ import annotations

import os
from pathlib import Path

import click

from nuages.cli.console import console
from nuages.cli.run import SETTINGS
from nuages.cli.target import app_of, cluster_of, cluster_options, run


@click.command(context_settings=SETTINGS)
@click.argument("name", metavar="COMPONENT|POD")
@click.argument("words", nargs=-1, metavar="[--] [COMMAND]...", type=click.UNPROCESSED)
@cluster_options
@click.option("--container", "-c", help="Another container of the pod than the one that does its work.")
def command(
    name: str, words: tuple[str, ...], *, file: Path, environment: str, context: str | None, container: str | None
) -> int:
    """Run a command in a pod that serves: a shell, where none is said. The exit code is the command's.

    It takes memory and time from what answers requests there, and what it changes is gone with the pod. Where that is
    not the point, `nuages run` has a pod of its own. Who did it is kept for `nuages run --history`.

    \b
    nuages exec web                            a shell in a pod of the webs
    nuages exec web -- cat /proc/1/status      its output, its exit code
    nuages exec postgres -- psql -U postgres   in a data store
    nuages exec blog-web-main-5d9c-x7k2p       in that very pod
    """
    from nuages.cli.recalled import keep
    from nuages.cli.terminal import Terminal
    from nuages.release import entering, entrance, named
    from nuages.release.leaving import Detached

    app = app_of(file, environment)
    cluster = cluster_of(app, file, context)
    keep(app, file, context, cluster)
    here = Terminal()
    words = words[1:] if words[:1] == ("--",) else words

    async def story() -> int:
        async with cluster:
            where = entrance.place(await named.pod(app, name, cluster), container or "")
            click.echo(where.told, err=True)
            term = os.environ.get("TERM", "") if here.tty else ""
            return await entering.enter(app, where, words, cluster, here, terminal=term)

    try:
        return run(story())
    except Detached:
        console.print("\nleft, and what ran has ended")
        return 0
