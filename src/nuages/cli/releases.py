"""`nuages releases`: what was released, when, by whom, and what it was made of."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nuages.cli.console import console, duration, harmless
from nuages.cli.default import WithDefault
from nuages.cli.target import app_of, cluster_of, cluster_options, run

if TYPE_CHECKING:
    from nuages.app.components import App
    from nuages.release.brief import Releases
    from nuages.release.difference import Change
    from nuages.release.record import Stored
    from nuages.release.releases import Shown


@click.group(cls=WithDefault)
def command() -> None:
    """All releases: list (also without a word), show one, compare two."""


@command.command("list")
@cluster_options
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def list_(file: Path, environment: str, context: str | None, as_json: bool) -> None:
    """Each release that is kept, the newest first: number, state, when, how long, by whom, why."""
    from nuages.cli.listed import listed
    from nuages.cli.narrow import room
    from nuages.cli.recalled import keep
    from nuages.release.releases import briefs

    app = app_of(file, environment)
    cluster = cluster_of(app, file, context)
    keep(app, file, context, cluster)

    async def look() -> Releases:
        async with cluster:
            return await briefs(app, cluster)

    console.print(listed(run(look()), room(sys.stdout), as_json=as_json))


@command.command()
@click.argument("number", type=int, metavar="N")
@cluster_options
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.option("--objects", is_flag=True, help="Print the objects as they were applied, as YAML.")
def show(number: int, *, file: Path, environment: str, context: str | None, as_json: bool, objects: bool) -> None:
    """Show one release: who, when, the image, each phase with its time and outcome."""
    from nuages.release.difference import hidden
    from nuages.release.releases import one, shown

    _, found = _found(file, environment, context)
    told = shown(found, number)
    if objects:
        from nuages.render.text import yaml_of

        console.print(yaml_of([hidden(item) for item in one(found, number).manifest.objects]))
    elif as_json:
        console.json(told)
    else:
        for line in _lines(told):
            console.print(harmless(line))


@command.command()
@click.argument("before", type=int, metavar="N")
@click.argument("after", type=int, metavar="M")
@cluster_options
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def diff(before: int, after: int, *, file: Path, environment: str, context: str | None, as_json: bool) -> None:
    """Show what differs between releases N and M: image, configuration, objects; of secrets only that they differ."""
    from nuages.release.difference import difference
    from nuages.release.releases import one

    _, found = _found(file, environment, context)
    told = difference(one(found, before), one(found, after))
    if as_json:
        console.json(told)
        return
    title = ""
    for change in told.changes:
        if change.object != title:
            console.print(f"{_MARKS[change.what]} {change.object}" if not change.field else f"~ {change.object}")
            title = change.object
        if change.field:
            console.print(f"    {harmless(_field(change))}")
    if not told.changes:
        console.print(f"releases {before} and {after} are of the very same")


_MARKS = {"added": "+", "removed": "-", "changed": "~"}


def _found(file: Path, environment: str, context: str | None) -> tuple[App, list[Stored]]:
    from nuages.release.releases import history

    app = app_of(file, environment)
    cluster = cluster_of(app, file, context)

    async def look() -> list[Stored]:
        async with cluster:
            return await history(app, cluster)

    return app, run(look())


def _lines(told: Shown) -> list[str]:
    record = told.record
    rows = {
        "image": record.build.reference,
        "revision": record.build.revision or "",
        "by": record.by,
        "command": record.command,
        "message": record.message,
        "back to": f"release {record.restores}" if record.restores else "",
        "began": f"{record.started:%Y-%m-%d %H:%M:%S}Z",
        "live": f"{record.live:%Y-%m-%d %H:%M:%S}Z" if record.live else "",
        "ended": f"{record.ended:%Y-%m-%d %H:%M:%S}Z" if record.ended else "",
        "waits for": f"{record.paused.reason}, in {record.paused.phase}" if record.paused else "",
        "failed": record.failure,
        "secrets": record.secrets or "",
    }
    lines = [f"release {record.number} of {record.instance}: {told.state}"]
    lines += [f"  {name:<9}  {value}" for name, value in rows.items() if value]
    for passed in record.passed:
        mark = "✗" if not passed.ok else "✓" if passed.ended else "…"
        took = duration((passed.ended - passed.started).total_seconds()) if passed.ended else ""
        lines.append(f"{mark} {passed.phase:<14}  {passed.note:<40}  {took}".rstrip())
    return lines


def _field(change: Change) -> str:
    before, after = (("(none)" if value is None else _brief(value)) for value in (change.before, change.after))
    return f"{change.field}: {before} → {after}"


def _brief(value: str) -> str:
    """An image by the first digits of its digest, as everywhere else; --json has all of them."""
    return re.sub(r"\S+@sha256:([0-9a-f]{12})[0-9a-f]{52}", r"\1", value)
