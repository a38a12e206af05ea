"""`nuages deploy`: from the project to live."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nuages.cli.asked import json_option, sink, teller, wish, wish_options
from nuages.cli.console import console
from nuages.cli.manner import manner_of, manner_options
from nuages.cli.sure import sure, sure_option
from nuages.cli.target import app_of, cluster_of, cluster_options, run
from nuages.errors import UsageError

if TYPE_CHECKING:
    from nuages.app.build import Build
    from nuages.app.components import App
    from nuages.kube.client import Cluster
    from nuages.progress import Sink
    from nuages.release.events import Teller


@click.command()
@cluster_options
@click.option("--no-build", is_flag=True, help="Take the image that serves: only configuration changes.")
@click.option("--plan", type=click.Path(path_type=Path), metavar="FILE", help="Do what `nuages plan --save` kept.")
@click.option("--detach", is_flag=True, help="Let a Job in the cluster drive it; Ctrl-C leaves it going.")
@click.option("--follow", is_flag=True, help="Follow the release that a Job drives; start none.")
@manner_options
@sure_option
@wish_options
@json_option
def command(
    *,
    file: Path,
    environment: str,
    context: str | None,
    no_build: bool,
    plan: Path | None,
    detach: bool,
    follow: bool,
    message: str,
    wait: str | None,
    as_json: bool,
    canary: str | None,
    blue_green: bool,
    maintenance: bool,
    no_return: bool,
    yes: bool,
) -> None:
    """Bring the project live: build, migrate, roll out, verify.

    Run it again after an interruption: it goes on where it stopped. When it fails, the last good release is brought
    back, where the database allows that.

    \b
    nuages deploy                    the environment `local`
    nuages deploy -e production      another one
    nuages deploy --no-build         only what nuages.yaml says has changed
    nuages deploy -m "new colours" --wait
    nuages deploy --canary 10%       a tenth of the requests, until nuages promote or abort
    nuages deploy --blue-green       beside the old one, then all requests at once
    nuages deploy --detach           driven by a Job in the cluster, followed from here
    nuages deploy --plan plan.json   what `nuages plan --save plan.json` kept, or nothing
    nuages deploy --maintenance      with a page in between, for migrations that old code does not survive
    """
    from nuages.cli.detached import attach, hand_over
    from nuages.cli.status import live
    from nuages.progress import step
    from nuages.release import binding
    from nuages.release.deploy import deploy, serving_build
    from nuages.release.events import told
    from nuages.release.plan import saved

    wanted, events = wish(message, wait), teller(as_json)
    manner = manner_of(canary, blue_green=blue_green, maintenance=maintenance, no_return=no_return)
    kept = saved.read(plan) if plan else None
    if kept and (no_build or follow or canary or blue_green or maintenance or no_return):
        raise UsageError("--plan says all of it already", hint="give the manner to nuages plan --save")
    with told(events):
        progress = sink(events)
        with step(progress, "check") as shown:
            app = app_of(file, environment)
            shown.note = f"{app.name}, environment {app.environment}"
        cluster = cluster_of(app, file, context)
        if follow:
            attach(app, cluster, progress, as_json=as_json)
            return
        if not kept:
            sure(app, cluster, "Deploy", yes=yes)
        if not (no_build or kept):
            run(_checked(app, cluster_of(app, file, context), events))
        binding.bind(app, cluster, file.absolute().parent)
        if kept:
            saved.meant(kept, app, cluster)
            manner = kept.manner
            build: Build | None = kept.build
        else:
            build = None if no_build else _built(file, app, cluster, progress, events)
        holds = partial(saved.check, kept, app, cluster) if kept else None
        if detach:
            hand_over(app, build, cluster, progress, wish=wanted, manner=manner, holds=holds, as_json=as_json)
            return

        async def story() -> None:
            async with cluster:
                image = build or await serving_build(app, cluster)
                record = await deploy(app, image, cluster, progress, wish=wanted, manner=manner, holds=holds)
                for line in [] if as_json else await live(app, cluster, record):
                    console.print(line)

        run(story())


def _built(file: Path, app: App, cluster: Cluster, progress: Sink, events: Teller | None) -> Build:
    """The project's image, where the cluster gets it."""
    from nuages.local.delivery import deliver

    built = deliver(file.absolute().parent, app, cluster.context, progress)
    console.findings(built.findings)
    if events:
        events.findings(built.findings)
    return built.build


async def _checked(app: App, cluster: Cluster, events: Teller | None) -> None:
    """Look for what must be there on a connection of its own: a build takes minutes, and would be for nothing."""
    from nuages.local.info import of_context
    from nuages.release import claims, secrets
    from nuages.release.fronts import configured

    async with cluster:
        await secrets.check(app, cluster)
        await configured(app, cluster)
        # What a cluster of this machine lacks is added to it beside the build.
        found = [] if of_context(cluster.context) else await claims.check(app, cluster)
    console.findings(found)
    if events:
        events.findings(found)
