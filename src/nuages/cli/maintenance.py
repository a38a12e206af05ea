"""`nuages maintenance`: a page in front of the app, and the way past it."""

from __future__ import annotations

from pathlib import Path

import click

from nuages.cli.console import console, harmless
from nuages.cli.sure import sure, sure_option
from nuages.cli.target import app_of, cluster_of, cluster_options, run

LARGEST = 512 * 1024


@click.command()
@click.argument("wanted", metavar="[on|off]", required=False, type=click.Choice(["on", "off"]))
@cluster_options
@sure_option
@click.option("--page", type=click.Path(path_type=Path), help="An HTML file to show; with on.")
@click.option("--link", is_flag=True, help="The link by which staff gets past the page.")
@click.option("--json", "as_json", is_flag=True, help="Print whether it is on, or with --link the link, as JSON.")
def command(
    wanted: str | None,
    *,
    file: Path,
    environment: str,
    context: str | None,
    yes: bool,
    page: Path | None,
    link: bool,
    as_json: bool,
) -> None:
    """Put a page in front of the app, or take it away; without a word, says which it is.

    Every request is answered 503 with Retry-After, and health checks 200. Nothing behind the page stops: workers work
    on, and a deploy goes on behind it. The page is --page, or the project's maintenance.html, or a plain one. Staff
    gets past it by a link, or with the header X-Nuages-Bypass; its secret is made anew each time.

    \b
    nuages maintenance on --page back-soon.html
    nuages maintenance --link       open it once in a browser, which is let past from then on
    nuages maintenance off
    """
    from nuages.errors import UsageError
    from nuages.local.info import ingress_port
    from nuages.release import pausing
    from nuages.release.status import encrypted, way_in

    if page and wanted != "on":
        raise UsageError("--page is for on", hint=f"nuages maintenance on --page {page}")
    html = _read(page) if page else None
    app = app_of(file, environment)
    cluster = cluster_of(app, file, context)
    if wanted == "on":
        sure(app, cluster, "Put a page in front of", yes=yes)

    async def story() -> None:
        async with cluster:
            if link:
                path = await pausing.link(app, cluster)
                found = await way_in(app, cluster, ingress_port(cluster.context, tls=encrypted(app.expose)))
                address = (found[0].rstrip("/") if found else "") + path
                if as_json:
                    console.json({"schema": 1, "app": app.name, "environment": app.environment, "link": address})
                else:
                    console.print(address)
                return
            was = False
            if wanted == "on":
                await pausing.on(app, html, cluster, console.sink)
            elif wanted == "off":
                was = await pausing.off(app, cluster, console.sink)
            if as_json:
                console.json(await pausing.state(app, cluster))
            elif wanted == "on":
                console.print("the page answers, and health checks are green; nuages maintenance off ends it")
                console.print("nuages maintenance --link lets staff past it")
            elif wanted == "off":
                console.print("the app answers" if was else "no page was in front of the app")
            else:
                state = await pausing.state(app, cluster)
                said = f"on since {state.since:%Y-%m-%d %H:%M}, by {harmless(state.by)}" if state.on else "off"
                console.print(f"maintenance is {said}")

    run(story())


def _read(page: Path) -> str:
    from nuages.errors import UsageError

    try:
        text = page.read_text()
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", place=str(page)) from error
    except UnicodeDecodeError:
        raise UsageError("is no UTF-8 text", place=str(page)) from None
    if len(text.encode()) > LARGEST:
        raise UsageError(f"is larger than {LARGEST // 1024} KiB", place=str(page), hint="let it name its images")
    return text
