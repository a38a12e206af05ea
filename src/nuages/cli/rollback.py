"""`nuages rollback`: an earlier release, brought live as a new one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nuages.cli.asked import json_option, sink, teller, wish, wish_options
from nuages.cli.console import console
from nuages.cli.sure import sure, sure_option
from nuages.cli.target import app_of, cluster_of, cluster_options, run

if TYPE_CHECKING:
    from nuages.release.back.verdict import Verdict


@click.command()
@click.argument("release", type=int, required=False)
@cluster_options
@click.option("--dry-run", is_flag=True, help="Only the verdict: whether its code can work with the database of now.")
@click.option("--undo", is_flag=True, help="Undo the migrations that the verdict names, once the old pods are back.")
@click.option("--anyway", is_flag=True, help="Go back though the verdict is unknown.")
@sure_option
@wish_options
@json_option
def command(
    *,
    release: int | None,
    file: Path,
    environment: str,
    context: str | None,
    dry_run: bool,
    undo: bool,
    anyway: bool,
    message: str,
    wait: str | None,
    as_json: bool,
    yes: bool,
) -> None:
    """Bring RELEASE back (default: the last good one before): its image, configuration and secrets, as they were.

    First comes the verdict: what that release's code reads and writes, against the database as it is now. safe;
    degraded, and how; unknown, and why; safe with migrations undone (--undo); or refused, and who did it.

    \b
    nuages rollback --dry-run        the verdict, nothing else; exit code 3 where it would be refused
    nuages rollback                  back to the last good release
    nuages rollback 7 --undo         and undo what its code can't live with, where no data is lost
    """
    from nuages.cli.hinted import hinted
    from nuages.cli.status import live
    from nuages.errors import Refused
    from nuages.release.back.rollback import permit, rollback, verdict_on
    from nuages.release.events import told

    wanted, events = wish(message, wait), teller(as_json)
    with told(events):
        progress = sink(events)
        app = app_of(file, environment)
        cluster = cluster_of(app, file, context)
        if not dry_run:
            sure(app, cluster, "Roll back", yes=yes)

        async def story() -> None:
            async with cluster:
                if dry_run:
                    verdict = await verdict_on(app, release, cluster, progress)
                    if not as_json:
                        show(verdict)
                    try:
                        permit(verdict, undo=undo, anyway=anyway)
                    except Refused as no:
                        if as_json:
                            raise
                        console.print(f"  {hinted(no.hint)}")
                        raise SystemExit(no.exit_code) from None
                    return
                record = await rollback(app, release, cluster, progress, undo=undo, anyway=anyway, wish=wanted)
                for line in [] if as_json else await live(app, cluster, record):
                    console.print(line)

        run(story())


def show(verdict: Verdict) -> None:
    """The verdict on standard output, and what undoing would take along."""
    console.print(verdict.line)
    for each in verdict.undo:
        where = "" if each.alias == "default" else f" in {each.alias}"
        for name in each.migrations:
            console.print(f"  --undo undoes {name}{where}")
    console.findings(verdict.findings)
