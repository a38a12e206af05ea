"""`nuages dev`: the project in the cluster, edited here."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nuages.cli.console import console
from nuages.cli.target import app_of, cluster_of, cluster_options, run
from nuages.errors import Interrupted, NuagesError

if TYPE_CHECKING:
    from nuages.app.components import App, Web
    from nuages.cli.develop import Terminal
    from nuages.kube.client import Cluster
    from nuages.project.facts import Facts
    from nuages.release.dev.develop import Wish


@click.command()
@cluster_options
@click.option("--web", "-w", "web_name", metavar="NAME", help="Which web, where there are several.")
@click.option("--port", "-p", type=click.IntRange(1, 65535), help="Where it is served here; 8000 or the next.")
@click.option("--open", "opens", is_flag=True, help="Open it in the browser.")
@click.option("--mail", is_flag=True, help="Open the page of the mail that was caught.")
@click.option("--build", "builds", is_flag=True, help="Build an image first: packages changed.")
@click.option("--migrate", "migrates", is_flag=True, help="Apply migrations that the database lacks, at once.")
@click.option("--debugger", is_flag=True, help="Let editors attach at port 5678 (debugpy).")
@click.option("--write-vscode", is_flag=True, help="Write .vscode/launch.json for that, and leave.")
@click.option("--write-pycharm", is_flag=True, help="Write .run/nuages-dev.run.xml for that, and leave.")
@click.option("--no-debug", is_flag=True, help="Tell the settings nothing of DEBUG.")
@click.option("--no-frontends", is_flag=True, help="Without the front ends' own development servers.")
@click.option("--take", "takes", is_flag=True, help="Go on in the place of another nuages dev of yours.")
@click.option("--ttl", default="8h", show_default=True, help="The pod ends after this time.")
@click.option("--memory", help="Another memory limit than the web's, as 1Gi.")
def command(
    *,
    file: Path,
    environment: str,
    context: str | None,
    web_name: str | None,
    port: int | None,
    opens: bool,
    mail: bool,
    builds: bool,
    migrates: bool,
    debugger: bool,
    write_vscode: bool,
    write_pycharm: bool,
    no_debug: bool,
    no_frontends: bool,
    takes: bool,
    ttl: str,
    memory: str | None,
) -> int:
    """The project in the cluster, edited here: what is saved is served within a second or two.

    A pod of your own beside the live release, with its services and secrets, DEBUG on, reached at localhost. What
    serves is not touched. breakpoint() stops in this terminal. Ctrl-C leaves, and nothing is left.

    \b
    nuages dev                    http://localhost:8000, from the files in this folder
    nuages dev -e staging         with the data of another environment; production is refused
    nuages dev --debugger         and breakpoints in the editor
    nuages dev --build            packages changed: an image with the new ones first
    """
    from nuages.cli.develop import Terminal
    from nuages.cli.run import _memory, _seconds
    from nuages.image.build import inspected
    from nuages.release.dev import develop, editors

    app = app_of(file, environment)
    develop.allowed(app)
    web = develop.web(app, web_name)
    folder = file.absolute().parent
    found = inspected(folder, app)
    if write_vscode or write_pycharm:
        wrote = [editors.vscode(folder, found.root)] if write_vscode else []
        wrote += [editors.pycharm(folder, found.root)] if write_pycharm else []
        console.print(f"wrote {' and '.join(map(str, wrote))}; then nuages dev --debugger")
        return 0
    wish = develop.Wish(
        ttl=_seconds(ttl),
        port=port,
        memory=_memory(memory),
        debugger=debugger,
        migrates=migrates,
        takes=takes,
        fronts=not no_frontends,
        tells_debug=not no_debug,
    )
    here = Terminal(console)
    if opens or mail:
        here.when_served = lambda address: webbrowser.open(f"{address}/-/mail" if mail else address)
    cluster = cluster_of(app, file, context)
    if builds:
        wish = wish._replace(image=_built(folder, app, cluster))
    while run(_session(app, web, found, wish, cluster=cluster, here=here)) == "build":
        cluster = cluster_of(app, file, context)
        found, wish = _rebuilt(folder, app, cluster, (found, wish))
    return 0


def _rebuilt(folder: Path, app: App, cluster: Cluster, before: tuple[Facts, Wish]) -> tuple[Facts, Wish]:
    """With an image of the project as it is; a mistake in it is shown, and the session goes on with what was before."""
    from nuages.image.build import inspected

    try:
        return inspected(folder, app), before[1]._replace(image=_built(folder, app, cluster))
    except Interrupted:
        raise
    except NuagesError as error:
        console.error(error)
        console.print("on with the image from before; b tries again")
        return before


def _built(folder: Path, app: App, cluster: Cluster) -> str:
    """An image of the project as it is, where the cluster gets it."""
    from nuages.local.delivery import deliver

    return deliver(folder, app, cluster.context, console.sink).build.reference


async def _session(app: App, web: Web, found: Facts, wish: Wish, *, cluster: Cluster, here: Terminal) -> str:
    from nuages.release.dev.develop import develop

    async with cluster:
        with here.attended():
            return await develop(app, web, found, wish, cluster=cluster, here=here, sink=console.sink)
