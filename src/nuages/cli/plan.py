"""`nuages plan`: what a deploy would do, before it does."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nuages.cli.console import STYLES, console
from nuages.cli.manner import manner_of, manner_options
from nuages.cli.narrow import room
from nuages.cli.target import app_of, cluster_of, cluster_options, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nuages.findings import Finding
    from nuages.release.plan.make import Made

CHANGES = 5
REFUSED = 3


@click.command()
@cluster_options
@click.option("--no-build", is_flag=True, help="Take the image that serves: only configuration changes.")
@click.option("--save", type=click.Path(path_type=Path), metavar="FILE", help="Keep it for nuages deploy --plan FILE.")
@click.option("--exit-code", is_flag=True, help="End with 5 where there are changes.")
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
@manner_options
def command(
    *,
    file: Path,
    environment: str,
    context: str | None,
    no_build: bool,
    save: Path | None,
    exit_code: bool,
    as_json: bool,
    canary: str | None,
    blue_green: bool,
    maintenance: bool,
    no_return: bool,
) -> int:
    """Show what a deploy would do: objects, migrations with their SQL and locks, what starts anew, and the way back.

    The image is built as for a deploy. Nothing in the cluster is changed; a short-lived Job asks the database.

    \b
    nuages plan -e production
    nuages plan -e production --save .nuages/plan.json
    nuages deploy -e production --plan .nuages/plan.json
    nuages plan --exit-code || echo "something would change"
    """
    from nuages.cli.plan_page import lines
    from nuages.progress import step

    manner = manner_of(canary, blue_green=blue_green, maintenance=maintenance, no_return=no_return)
    with step(console.sink, "check") as shown:
        app = app_of(file, environment)
        shown.note = f"{app.name}, environment {app.environment}"
    cluster = cluster_of(app, file, context)
    build = None
    if not no_build:
        from nuages.local.delivery import deliver

        build = deliver(file.absolute().parent, app, cluster.context, console.sink).build

    async def story() -> Made:
        from nuages.release.deploy import serving_build
        from nuages.release.plan.make import make

        async with cluster:
            image = build or await serving_build(app, cluster)
            return await make(app, image, cluster, console.sink, manner=manner)

    made = run(story())
    if save:
        from nuages.release.plan import saved

        saved.write(saved.freeze(made, cluster), save)
        console.findings(_in_the_image(file.absolute().parent, save))
    if as_json:
        console.json(made.plan)
    else:
        width = room(sys.stdout)
        colour = width and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        for line in lines(made.plan, width, painted if colour else lambda text, _: text):
            console.print(line)
        if save and not made.plan.refused:
            from nuages.app.parts import spoken

            console.print(f"Kept: nuages deploy{spoken(environment)} --plan {save}")
    if made.plan.refused:
        return REFUSED
    return CHANGES if exit_code and made.plan.changes else 0


def _in_the_image(project: Path, save: Path) -> Iterator[Finding]:
    """A plan that lies in the project would be in its next image, which would be another one for it."""
    from nuages.findings import Finding, Level, Place
    from nuages.image import ignore

    path = save.resolve()
    if path.is_relative_to(project) and str(path.relative_to(project)) in ignore.select(project).files:
        said = "lies in the project, and would be in its next image"
        yield Finding("project.W105", Level.WARNING, said, Place(str(save)), "keep it in .nuages/, or elsewhere")


def painted(text: str, style: str) -> str:
    """A text in one of the console's styles."""
    return f"\033[{STYLES[style]}m{text}\033[0m"
