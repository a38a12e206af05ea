"""`nuages status`: one screen, once or live."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nuages.cli.console import duration
from nuages.cli.target import app_of, cluster_of, cluster_options, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from nuages.app.components import App
    from nuages.kube.client import Cluster
    from nuages.release.record import Record
    from nuages.release.seen import Status


@click.command()
@cluster_options
@click.option("--watch", "-w", is_flag=True, help="Go on, and show each change, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Print the status as JSON; with --watch a line for each change.")
def command(file: Path, environment: str, context: str | None, watch: bool, as_json: bool) -> None:
    """What runs, in which release, what is wrong, and what to do next.

    \b
    nuages status                    one screen
    nuages status -w                 the same, live; in a pipe a line for each change
    nuages status --json             for programs
    """
    from nuages.cli.live import Live, Log
    from nuages.cli.recalled import keep
    from nuages.cli.screen import lines
    from nuages.cli.wording import document, paint
    from nuages.release.world import utc

    app = app_of(file, environment)
    cluster = cluster_of(app, file, context)
    keep(app, file, context, cluster)
    if not watch:
        found = run(_look(app, cluster))
        _print([document(found)] if as_json else lines(found, utc(), paint(sys.stdout)))
        return
    view = Live(sys.stdout) if sys.stdout.isatty() and not as_json else Log(sys.stdout)
    told: list[str] = []

    def show(found: Status) -> None:
        if not as_json:
            view.show(lambda: lines(found, utc() if view.whole else None, paint(sys.stdout)))
        elif [now := document(found, indent=None)] != told:
            told[:] = [now]
            _print(told)

    with view:
        try:
            run(_watch(app, cluster, show))
        except KeyboardInterrupt:
            return


async def _look(app: App, cluster: Cluster) -> Status:
    from nuages.local.info import ingress_port
    from nuages.release.status import encrypted, status

    async with cluster:
        return await status(app, cluster, ingress_port(cluster.context, tls=encrypted(app.expose)))


async def _watch(app: App, cluster: Cluster, show: Callable[[Status], None]) -> None:
    from nuages.local.info import ingress_port
    from nuages.release.status import encrypted, watched

    async with cluster:
        await watched(app, cluster, ingress_port(cluster.context, tls=encrypted(app.expose)), show)


def _print(lines: list[str]) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


async def live(app: App, cluster: Cluster, record: Record) -> list[str]:
    """What is said when a release is live: which, how long it took, where it answers. Of one that waits: for what."""
    if record.paused:
        from nuages.cli.hinted import hinted

        hint = [f"  {hinted(record.paused.hint, app.environment)}"] if record.paused.hint else []
        return [f"Release {record.number} waits in {record.paused.phase}: {record.paused.reason}", *hint]
    from nuages.local.info import ingress_port
    from nuages.release.status import encrypted, way_in

    serves = record.live or record.ended
    took = duration((serves - record.started).total_seconds()) if serves else ""
    answers = await way_in(app, cluster, ingress_port(cluster.context, tls=encrypted(app.expose)))
    return [f"Release {record.number} is live in {app.namespace}, after {took}", *(f"  {url}" for url in answers)]
