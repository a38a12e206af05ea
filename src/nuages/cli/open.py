"""`nuages open`: the app in a browser."""

from __future__ import annotations

from pathlib import Path

import click

from nuages.cli.console import console
from nuages.cli.target import app_of, cluster_of, cluster_options, run


@click.command()
@click.argument("path", default="", metavar="[PATH]")
@cluster_options
@click.option("--print", "only", is_flag=True, help="Print the address, and open nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print all addresses as JSON.")
def command(path: str, *, file: Path, environment: str, context: str | None, only: bool, as_json: bool) -> None:
    """Open the app in a browser; a PATH of it, where one is given.

    Where this machine has no browser, the address is printed.

    \b
    nuages open admin/
    nuages open -e production --print
    """
    import webbrowser

    from nuages.errors import Refused
    from nuages.local.info import ingress_port
    from nuages.release.status import encrypted, way_in

    app = app_of(file, environment)
    cluster = cluster_of(app, file, context)

    async def look() -> list[str]:
        async with cluster:
            return await way_in(app, cluster, ingress_port(cluster.context, tls=encrypted(app.expose)))

    found = [f"{url.rstrip('/')}/{path.lstrip('/')}" for url in run(look())]
    if as_json:
        console.json({"schema": 1, "addresses": found})
        return
    if not found:
        hint = "nuages port-forward web leads to it" if app.expose is None else "nuages status says what is waited for"
        raise Refused(f"{app.name} has no address in {app.environment}", hint=hint)
    if only or not webbrowser.open(found[0]):
        console.print(found[0])
    else:
        click.echo(f"opened {found[0]}", err=True)
