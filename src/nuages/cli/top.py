"""`nuages top`: what each pod uses."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nuages.cli.target import app_of, cluster_of, cluster_options, run

if TYPE_CHECKING:
    from nuages.app.components import App
    from nuages.cli.wording import Paint
    from nuages.kube.client import Cluster
    from nuages.release.named import Chosen
    from nuages.release.top import Top
    from nuages.release.usage import Usage

AGAIN = 5.0
"""Seconds between two looks: metrics-server measures every 15."""

TIGHT = 0.9
"""From this part of its limit on, a pod is near the end that a limit makes."""

UNMETERED = (
    "… nothing measures what pods use: this cluster has no metrics-server (nuages cluster up --with metrics-server)"
)


@click.command()
@click.argument("components", nargs=-1, metavar="[COMPONENT]...")
@cluster_options
@click.option("--watch", "-w", is_flag=True, help="Go on, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON; with --watch a line for each look.")
def command(
    components: tuple[str, ...], *, file: Path, environment: str, context: str | None, watch: bool, as_json: bool
) -> None:
    """What each pod uses of CPU and memory, beside what it asked for; `!` stands at one that is near its limit.

    \b
    nuages top                       all pods of the app, its data stores among them
    nuages top web -w                the webs, live
    """
    from nuages.cli.live import Live, Log
    from nuages.cli.narrow import room
    from nuages.cli.wording import document, paint
    from nuages.release.named import chooser

    app = app_of(file, environment)
    chosen = chooser(app, components) if components else _all
    style = paint(sys.stdout)
    view = Live(sys.stdout) if watch and sys.stdout.isatty() and not as_json else Log(sys.stdout)

    def show(found: Top) -> None:
        if as_json:
            click.echo(document(found, indent=None if watch else 2))
        elif watch:
            view.show(lambda: lines(found, style, room(sys.stdout)))
        else:
            click.echo("\n".join(lines(found, style, room(sys.stdout))), color=True)

    with view:
        try:
            run(_look(app, cluster_of(app, file, context), chosen, show, again=watch))
        except KeyboardInterrupt:
            if not watch:
                raise


async def _look(app: App, cluster: Cluster, chosen: Chosen, show: Callable[[Top], None], *, again: bool) -> None:
    from nuages.release.top import top

    async with cluster:
        show(await top(app, cluster, chosen))
        while again:
            await asyncio.sleep(AGAIN)
            show(await top(app, cluster, chosen))


def lines(found: Top, style: Paint, width: int | None = None) -> list[str]:
    """A line for each component and each of its pods; the sum of all below."""
    from nuages.cli.narrow import folded, table
    from nuages.release.usage import together

    rows = [("", "cpu", "memory", "limit")]
    for component, group in groupby(found.pods, key=lambda pod: pod.component):
        pods = list(group)
        if len(pods) > 1:
            rows.append((component, *_row(together(pod.usage for pod in pods))))
        rows += [(f"{'  ' if len(pods) > 1 else ''}{_short(pod.name, found.app)}", *_row(pod.usage)) for pod in pods]
    rows.append(("all", *_row(together(pod.usage for pod in found.pods))))
    told = [f"{style(found.app, 'bold')}  in {found.namespace} ({found.context})", *table(rows, width)]
    if not found.pods:
        return [told[0], "… no pod runs there: nuages status says more"]
    return told if found.metered else [*told, *folded(UNMETERED, width)]


def _row(used: Usage) -> tuple[str, str, str]:
    """CPU, memory, and how much of its limit the memory is."""
    from nuages.cli.screen import share
    from nuages.release.usage import cpu, memory

    part = used.memory / used.memory_limit if used.memory is not None and used.memory_limit else None
    limit = memory(used.memory_limit) if used.memory_limit else "none"
    return (
        share(used.cpu, used.cpu_request, cpu),
        share(used.memory, used.memory_request, memory),
        limit if part is None else f"{part:.0%} of {limit}{' !' if part >= TIGHT else ''}",
    )


def _short(pod: str, app: str) -> str:
    return pod.removeprefix(f"{app}-")


def _all(component: str, key: str, pod: str) -> bool:
    return True
