"""`nuages services`: the data stores, what a change of them would do, and doing it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nuages.cli.asked import done_option, wait_option, wish
from nuages.cli.console import console
from nuages.cli.default import WithDefault
from nuages.cli.sure import agreed
from nuages.cli.target import app_of, cluster_of, cluster_options, run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nuages.release.keeping.upgrade import Upgrade
    from nuages.release.services.change import Store
    from nuages.release.services.look import Entry
    from nuages.release.services.record import Changed


@click.group(cls=WithDefault)
def command() -> None:
    """The data stores, which no release changes: list (also without a word), plan a change, apply it."""


@command.command("list")
@cluster_options
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def list_(file: Path, environment: str, context: str | None, as_json: bool) -> None:
    """Each data store: where it is, in which image, how large, and what is left of those that the spec has no more."""
    from nuages.cli.narrow import room, table
    from nuages.release.services import look

    app = app_of(file, environment)
    cluster = cluster_of(app, file, context)

    async def story() -> look.Listing:
        async with cluster:
            return await look.listing(app, cluster)

    found = run(story())
    if as_json:
        console.json(found)
        return
    rows = [_row(entry) for entry in found.services]
    for line in table(rows, room(sys.stdout)):
        console.print(line)
    if not rows:
        console.print(f"{app.instance} has no data stores")
    for one in found.left:
        console.print(f"left behind  {one.kind} {one.name}")
    if found.left:
        console.print("             nothing removes it by itself: kubectl delete, once its data is not needed any more")


@command.command()
@cluster_options
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def plan(file: Path, environment: str, context: str | None, as_json: bool) -> None:
    """What would become of each data store; nothing is changed."""
    from nuages.release.services import look

    app = app_of(file, environment)
    cluster = cluster_of(app, file, context)

    async def story() -> list[Store]:
        async with cluster:
            return await look.look(app, cluster)

    found = run(story())
    if as_json:
        console.json({"schema": 1, "services": found})
        return
    _say(_planned(found))


@command.command()
@cluster_options
@click.argument("only", nargs=-1, metavar="[SERVICE]...")
@click.option("--message", "-m", default="", help="Why; whoever waits for the lock reads it.")
@wait_option
@done_option
@click.option("--yes", is_flag=True, help="Ask nothing.")
def apply(
    *,
    file: Path,
    environment: str,
    context: str | None,
    only: tuple[str, ...],
    message: str,
    wait: str | None,
    as_json: bool,
    yes: bool,
) -> None:
    """Make the data stores what nuages.yaml says: resources, versions of the same major, larger volumes.

    One after another; its pod starts anew, so for some seconds nobody answers. What can't become so is refused before
    anything is touched: a volume never shrinks, and another major version reads no files of this one.

    \b
    nuages services apply -e production postgres --yes
    """
    from nuages.errors import UsageError
    from nuages.local.delivery import deliver_services
    from nuages.release.services import apply as services
    from nuages.release.services.look import look
    from nuages.release.services.record import Outcome, history

    app = app_of(file, environment)
    cluster = cluster_of(app, file, context)
    asked = wish(message, wait)

    left_open: list[Changed] = []  # by somebody who was killed: closed with the others

    async def planned() -> list[Store]:
        async with cluster:
            found = await look(app, cluster)
            left_open.extend(one for one in await history(app, cluster) if one.outcome is Outcome.RUNNING)
        if unknown := set(only) - {store.service for store in found}:
            raise UsageError(f"{', '.join(sorted(unknown))} does not run in {app.instance}", hint="nuages services")
        return [store for store in found if not only or store.service in only]

    found = run(planned())
    services.refuse(app, found)
    _say(_planned(found), err=as_json)
    changes = any(store.way in services.CHANGES for store in found)

    def tell(changed: list[Changed]) -> None:
        from nuages.cli import done

        if as_json:
            console.json(done.done(done.Applied, app, services=found, changed=changed))

    if not changes and not left_open:
        tell([])
        return
    again = cluster_of(app, file, context)
    if changes:
        agreed(app, again, "Change data stores of", yes=yes)
        deliver_services(app, again.context, console.sink)

    async def story() -> list[Changed]:
        async with again:
            return await services.apply(app, again, console.sink, only=only, wish=asked)

    tell(run(story()))


@command.command()
@cluster_options
@click.argument("service", default="postgres", type=click.Choice(["postgres"]), metavar="[postgres]")
@click.option("--to", default="", metavar="MAJOR", help="The major version; the one in nuages.yaml, left out.")
@click.option("--plan", "only_plan", is_flag=True, help="Show what would be done, and do nothing.")
@click.option("--message", "-m", default="", help="Why; whoever waits for the lock reads it.")
@wait_option
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.option("--yes", is_flag=True, help="Ask nothing.")
def upgrade(
    *,
    file: Path,
    environment: str,
    context: str | None,
    service: str,
    to: str,
    only_plan: bool,
    message: str,
    wait: str | None,
    as_json: bool,
    yes: bool,
) -> None:
    """Bring PostgreSQL to another major version, by a dump of it into a new volume.

    Write the version into nuages.yaml first. While it is copied the site can be read and not be written to; then for
    some seconds no database answers. The old volume stays. Until then Ctrl-C, or a failure, leaves all as it was.

    \b
    nuages services upgrade -e production postgres --to 17 --plan
    nuages services upgrade -e production postgres --to 17
    """
    from nuages.local.delivery import deliver_services
    from nuages.release.keeping import upgrade as upgrades

    app = app_of(file, environment)
    cluster = cluster_of(app, file, context)
    asked = wish(message, wait)

    async def planned() -> upgrades.Upgrade:
        async with cluster:
            return await upgrades.plan(app, cluster, to)

    found = run(planned())
    if as_json and only_plan:
        console.json(found)
        return
    _say(_way(found), err=as_json)
    if only_plan:
        return
    again = cluster_of(app, file, context)
    agreed(app, again, "Upgrade PostgreSQL of", yes=yes)
    deliver_services(app, again.context, console.sink)

    async def story() -> upgrades.Upgraded:
        async with again:
            return await upgrades.upgrade(app, again, console.sink, to=to, wish=asked)

    done = run(story())
    if as_json:
        console.json(done)
        return
    console.print(
        f"PostgreSQL {done.after}; nothing could be written for {done.seconds_unwritten:.0f} s, "
        f"of which nobody answered for {done.seconds_silent:.0f} s"
    )
    if done.left:
        console.print(f"{done.left} stays, as {done.before} left it: kubectl delete pvc, once nobody needs it")


def _say(lines: Iterable[str], *, err: bool = False) -> None:
    """What would be done, before anybody is asked; beside the one document that a program gets."""
    for line in lines:
        click.echo(line, err=err)


def _way(found: Upgrade) -> Iterator[str]:
    if found.filled:
        yield f"{found.name}  {found.fills} is full: a server of {found.after} takes it up"
        return
    if found.back:
        yield f"{found.name}  the server of {found.before} comes back, which an upgrade that was stopped has left"
        if found.before == found.after:
            return
    yield f"{found.name}  {found.before} → {found.after}"
    yield f"  1  it is copied into {found.fills}, a new volume of {found.storage};"
    yield "     meanwhile it can be read, and not be written to"
    yield f"  2  its pod gives way to one of {found.after}: for some seconds nobody answers"
    yield f"  {found.leaves} stays behind, as it was at that moment"


@command.command()
@cluster_options
@click.option("--json", "as_json", is_flag=True, help="One change a line, as JSON.")
def history(file: Path, environment: str, context: str | None, as_json: bool) -> None:
    """What was done to the data stores, the newest first, and by whom."""
    import msgspec

    from nuages.release.services import record

    app = app_of(file, environment)
    cluster = cluster_of(app, file, context)

    async def story() -> list[Changed]:
        async with cluster:
            return await record.history(app, cluster)

    for one in run(story()):
        if as_json:
            console.print(msgspec.json.encode(one).decode())
            continue
        fields = f"  {', '.join(one.fields)}" if one.fields else ""
        grown = f"  volume {one.storage}" if one.storage else ""
        grown += f"  {one.note}" if one.note else ""
        console.print(f"{one.started:%Y-%m-%d %H:%M}  {one.service}  {one.way}  {one.outcome}  {one.by}{grown}{fields}")


def _planned(found: list[Store]) -> Iterator[str]:
    from nuages.cli.hinted import hinted
    from nuages.release.services.apply import said

    for store in found:
        yield f"{store.service:<10} {said(store)}"
        for field in store.fields:
            yield f"           {field.path}: {field.before or 'nothing'} → {field.after or 'nothing'}"
        for finding in store.findings:
            yield f"           ✗ {finding.message}  {finding.id}"
            yield f"             {hinted(finding.hint)}"
    if not found:
        yield "no data store runs in the cluster"


def _row(entry: Entry) -> tuple[str, ...]:
    state = {True: "ready", False: "not ready", None: ""}[entry.ready]
    if entry.where == "cluster" and not entry.image:
        state = "made by the next deploy"
    what = entry.image.rpartition("/")[2] or (f"tls {entry.tls}" if entry.tls else "")
    return (entry.service, entry.where, what, state, entry.storage and f"volume {entry.storage}", entry.address)
