"""`nuages port-forward`: a port of this machine that leads into a pod."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import click

from nuages.cli.console import console, harmless
from nuages.cli.target import app_of, cluster_of, cluster_options, run
from nuages.render.labels import WEB

PORT = re.compile(r"\d+|\d*:.*")
"""What is a port and no name."""


@click.command()
@click.argument("name", metavar="[COMPONENT|POD]", default=WEB)
@click.argument("ports", nargs=-1, metavar="[[LOCAL:]REMOTE]...")
@cluster_options
@click.option("--json", "as_json", is_flag=True, help="Say as JSON what is open, one object a line.")
def command(
    name: str, ports: tuple[str, ...], *, file: Path, environment: str, context: str | None, as_json: bool
) -> None:
    """Let ports of this machine lead into a pod, until Ctrl-C; only this machine reaches them.

    Without a component it is the web. Without a port it is the first that the pod has; here it is the same one, or
    where that is taken any that is free. Each connection goes to a pod that is ready: the one before was replaced,
    connect again.

    \b
    nuages port-forward                    the web's port, without what stands in front of it
    nuages port-forward 8080:8000          the same, on a port of one's choice
    nuages port-forward postgres :5432     the database, on a port that is free
    nuages port-forward redis 16379:6379   that one here
    """
    import msgspec

    from nuages.release import forwarding
    from nuages.release.ways import HERE

    if PORT.fullmatch(name):
        name, ports = WEB, (name, *ports)
    wanted = [forwarding.wanted(one) for one in ports] or [forwarding.Wanted(None, "")]
    app = app_of(file, environment)
    cluster = cluster_of(app, file, context)

    async def story() -> None:
        say = lambda line: click.echo(f"! {harmless(line)}", err=True)  # noqa: E731
        async with cluster, forwarding.forwarded(app, name, wanted, cluster, say) as opened:
            for one in opened:
                shown = {"schema": 1, "address": f"{HERE}:{one.local}", "pod": one.pod, "port": one.remote}
                if as_json:
                    console.print(msgspec.json.encode(shown).decode())
                else:
                    console.print(f"{shown['address']} leads to {one.pod}, port {one.remote}")
            if not as_json:
                click.echo("Ctrl-C ends it", err=True)
            await asyncio.Event().wait()

    try:
        run(story())
    except KeyboardInterrupt:
        click.echo(err=True)  # what there was to do is done
