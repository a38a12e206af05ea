"""`nuages logs`: what all pods of an app print, as one text."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nuages.cli.loglines import TAIL, Filter, Shown, most, nothing
from nuages.cli.target import app_of, cluster_of, cluster_options, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from nuages.app.components import App
    from nuages.kube.client import Cluster
    from nuages.release.printed import Line, Source


@click.command()
@click.argument("components", nargs=-1, metavar="[COMPONENT]...")
@cluster_options
@click.option("--follow", "-F", is_flag=True, help="Go on, through restarts and rollouts, until Ctrl-C.")
@click.option("--since", metavar="TIME", help="Only of the last 90s, 10m, 2h.")
@click.option("--tail", metavar="LINES", help=f"At most so many lines, or all.  [default: {TAIL}; all with --since]")
@click.option("--grep", metavar="REGEX", help="Only lines in which this is found.")
@click.option("--request", metavar="ID", help="Only lines of this request, by its X-Request-ID.")
@click.option("--release", type=int, metavar="N", help="Only pods of this release.")
@click.option("--previous", is_flag=True, help="Of the run before, where a container was started again.")
@click.option("--raw", is_flag=True, help="The lines as they were printed, without the pod.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def command(
    components: tuple[str, ...],
    *,
    file: Path,
    environment: str,
    context: str | None,
    follow: bool,
    since: str | None,
    tail: str | None,
    grep: str | None,
    request: str | None,
    release: int | None,
    previous: bool,
    raw: bool,
    as_json: bool,
) -> None:
    """What the pods print, merged in the order of time; all of the app's own, or those of each COMPONENT or pod.

    \b
    nuages logs                      the last 100 lines of webs, workers and beat
    nuages logs web -F               go on with what the webs print
    nuages logs worker-mail --since 10m --grep Traceback
    nuages logs postgres             of a data store
    nuages logs clearsessions        of a schedule's last runs
    nuages logs --request 6f1c...    what one request left in all of them
    """
    from nuages.cli.recalled import keep
    from nuages.release.named import chooser
    from nuages.release.printed import of_release

    app = app_of(file, environment)
    wanted = of_release(chooser(app, components), release)
    lines = Filter(_pattern(grep), request)
    shown = Shown(sys.stdout, form="json" if as_json else "raw" if raw else "text")

    heard = False

    def show(found: list[Line]) -> None:
        nonlocal heard
        passed = [line for line in found if lines.passes(line.text)]
        shown.write(passed)
        heard = heard or bool(passed)

    cluster = cluster_of(app, file, context)
    keep(app, file, context, cluster)
    story = _story(
        app, cluster, wanted, show, follow=follow, tail=_tail(tail, since), since=since, previous=previous
    )  # fmt: skip
    try:
        run(story)
    except KeyboardInterrupt:
        if not follow:
            raise
    if not heard and not follow:
        click.echo(nothing(since, sought=bool(grep or request)), err=True)


async def _story(
    app: App,
    cluster: Cluster,
    wanted: Callable[[Source], bool],
    show: Callable[[list[Line]], None],
    *,
    follow: bool,
    tail: int | None,
    since: str | None,
    previous: bool,
) -> None:
    from contextlib import AsyncExitStack

    from nuages.errors import UsageError
    from nuages.kube.watch import Mirror
    from nuages.release import logs
    from nuages.release.printed import sources
    from nuages.render.labels import instance

    async with cluster, AsyncExitStack() as held:
        # Only who goes on needs a watch: a second connection.
        view = Mirror(cluster, app.namespace, ("Pod",), instance(app)) if follow else None
        mirror = await held.enter_async_context(view) if view else None
        pods = mirror.items("Pod") if mirror else (await cluster.list("Pod", app.namespace, instance(app))).items
        found = sources(pods, wanted)
        if not found and not follow:
            there = sorted({source.short.rpartition("-")[0] for source in sources(pods, _any)})
            has = f"there are pods of {', '.join(there)}" if there else "nothing runs there: nuages deploy"
            raise UsageError(f"no such pod of {app.name} in {app.namespace}", hint=has)
        lines, seen = await logs.past(
            found,
            cluster,
            tail=tail,
            since=since,
            previous=previous,
        )
        show(lines)
        if mirror:
            await logs.follow(wanted, seen, cluster, mirror, show)


def _any(source: Source) -> bool:
    return True


def _pattern(grep: str | None) -> re.Pattern[str] | None:
    if grep is None:
        return None
    try:
        return re.compile(grep)
    except re.error as error:
        raise click.BadParameter(f"{grep!r} is no regular expression: {error}", param_hint="--grep") from error


def _tail(tail: str | None, since: str | None) -> int | None:
    """How many lines at most; None for all."""
    try:
        return most(tail, since)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--tail") from error
