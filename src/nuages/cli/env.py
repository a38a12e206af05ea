"""`nuages env`: environments from a template."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nuages.cli.asked import done_option, json_option, sink, teller, wish, wish_options
from nuages.cli.console import console, harmless
from nuages.cli.sure import gone
from nuages.cli.target import app_of, cluster_of, cluster_options, run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from nuages.app.components import App
    from nuages.kube.client import Cluster
    from nuages.release.environments.listing import Listed
    from nuages.release.variables import Variable

_file = click.option(
    "--file",
    "-f",
    type=click.Path(path_type=Path),
    default=Path("nuages.yaml"),
    help="The spec.",
    show_default=True,
)
_context = click.option("--context", help="The kubeconfig context to use.")
_json = click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
_STAYS_AWAKE = "only those sleep; nuages scale web=0 -e {name} leaves a web without pods until the next release"


@click.group()
def command() -> None:
    """Environments from a template: up, list, sleep, wake, down. And the variables that any one's pods are told.

    A template is an environment with `template: true`. Each that is made from it has a namespace, a database and hosts
    of its own; every other command knows it by its name: nuages logs -e pr-12.
    """


@command.command()
@click.argument("name")
@_file
@_context
@wish_options
@json_option
def up(*, name: str, file: Path, context: str | None, wait: str | None, message: str, as_json: bool) -> None:
    """Bring an environment up from its template, or on: its data, its release, and time from now.

    With several templates in the spec, the name begins with that of its own: preview-12.

    \b
    nuages env up pr-12
    nuages env up pr-12          again: what changed is released, and its time begins anew
    """
    from nuages.cli.origin import origin_of
    from nuages.cli.status import live
    from nuages.local.delivery import deliver
    from nuages.release import binding
    from nuages.release.environments.up import check
    from nuages.release.environments.up import up as bring_up
    from nuages.release.events import told

    wanted, events = wish(message, wait), teller(as_json)
    progress = sink(events)
    with told(events):
        app = _app(file, name, "nuages deploy -e {name}")
        origin = origin_of(app, file)
        cluster = cluster_of(app, file, context)
        if origin:
            binding.together(origin.source, app, cluster, file.absolute().parent)

        async def asked() -> None:
            async with cluster_of(app, file, context) as first:
                await check(app, origin, first)

        run(asked())
        binding.bind(app, cluster, file.absolute().parent)
        built = deliver(file.absolute().parent, app, cluster.context, progress)
        console.findings(built.findings)
        if events:
            events.findings(built.findings)

        async def story() -> None:
            async with cluster:
                record = await bring_up(app, built.build, origin, cluster, progress, wish=wanted)
                for line in [] if as_json else await live(app, cluster, record):
                    console.print(line)

        run(story())


@command.command("list")
@_file
@_context
@_json
def list_(file: Path, context: str | None, as_json: bool) -> None:
    """All environments of the app in a cluster: what each does, where it answers, how long it has."""
    from nuages.app.components import resolve
    from nuages.cli.narrow import room
    from nuages.release.environments.listing import listed
    from nuages.release.world import utc
    from nuages.spec.load import load

    spec = load(file)
    first = next(iter(spec.templates or spec.environments), None)
    if first is None:
        if as_json:
            console.json([])
        else:
            console.print("no environment is declared")
        return
    app = resolve(spec, first)

    def hosts(name: str, namespace: str) -> tuple[str, ...]:
        known = name in spec.environments or spec.template(name)
        made = resolve(spec, name) if known else None
        ours = made is not None and made.namespace == namespace
        return tuple(made.expose.hosts) if made and made.expose and ours else ()

    async def story() -> list[Listed]:
        async with cluster_of(app, file, context) as cluster:
            return await listed(app.name, hosts, cluster, utc())

    found = run(story())
    if as_json:
        console.json(found)
        return
    for line in _lines(found, utc(), room(sys.stdout)):
        console.print(line)


@command.command("vars")
@click.argument("component", default="")
@cluster_options
@_json
def vars_(component: str, file: Path, environment: str, context: str | None, as_json: bool) -> None:
    """The variables that the live pods are told, and who says each; of secrets only the names.

    COMPONENT narrows it down: web, web-main, worker-default, beat.

    \b
    nuages env vars
    nuages env vars worker-default -e production
    """
    from nuages.cli.narrow import room
    from nuages.release import variables
    from nuages.spec.load import load

    app = app_of(file, environment)
    cluster = cluster_of(app, file, context)

    async def story() -> variables.Variables:
        async with cluster:
            return await variables.told(app, load(file), component, cluster)

    found = run(story())
    if as_json:
        console.json(found)
        return
    for number, told in enumerate(found.components):
        console.print(("\n" if number else "") + console.style(told.component, "bold"))
        for line in _variables(told.variables, room(sys.stdout)):
            console.print(line)


@command.command()
@click.argument("name")
@_file
@_context
@done_option
def sleep(name: str, file: Path, context: str | None, as_json: bool) -> None:
    """Let an environment sleep: nothing of it runs, its data stays; `wake`, `up` and a deploy wake it."""
    from nuages.release.environments import sleeping

    _turned(name, file, context, title="sleep", turn=sleeping.sleep, turned="asleep", as_json=as_json)


@command.command()
@click.argument("name")
@_file
@_context
@done_option
def wake(name: str, file: Path, context: str | None, as_json: bool) -> None:
    """Wake an environment, and wait until it answers. Its time goes on; `up` begins it anew."""
    from nuages.release.environments import sleeping

    _turned(name, file, context, title="wake", turn=sleeping.wake, turned="awake", as_json=as_json)


def _turned(
    name: str,
    file: Path,
    context: str | None,
    *,
    title: str,
    turn: Callable[[App, Cluster, Callable[[str], None]], Awaitable[int]],
    turned: str,
    as_json: bool,
) -> None:
    """Put an environment to sleep, or wake it, while nobody releases there; tell it as one step."""
    from nuages.progress import step
    from nuages.release.environments import marks
    from nuages.release.locks import lock

    app = _app(file, name, _STAYS_AWAKE)

    def waiting(line: str) -> None:
        click.echo(line, err=as_json)

    async def story() -> int:
        async with cluster_of(app, file, context) as cluster:
            await marks.there(app, cluster)
            async with lock.held(cluster, app.namespace, lock.name(app.name), waiting=waiting):
                with step(console.sink, title) as shown:
                    count = await turn(app, cluster, shown.say)
                    shown.note = f"{count} {turned}"
        return count

    count = run(story())
    if as_json:
        from nuages.cli import done

        console.json(done.done(done.Turned, app, state=turned, workloads=count))


@command.command()
@click.argument("name", required=False)
@_file
@_context
@click.option("--expired", is_flag=True, help="All whose time is over, instead of one by its name.")
@click.option("--data", is_flag=True, help="Remove volumes, generated secrets and the namespace too.")
@click.option("--yes", "-y", is_flag=True, help="Don't ask.")
@done_option
def down(
    *, name: str | None, file: Path, context: str | None, expired: bool, data: bool, yes: bool, as_json: bool
) -> None:
    """Take an environment down; its data only when named by --data, or when its time is over (--expired)."""
    from nuages.cli.done import Down, Ended
    from nuages.errors import UsageError
    from nuages.release.destroy import destroy
    from nuages.release.environments import marks
    from nuages.release.world import utc

    if bool(name) == expired:
        raise UsageError("one environment by its name, or --expired", hint="nuages env list")
    apps = [_app(file, name, "nuages destroy -e {name}")] if name else _expired(file, context)
    ended: list[Ended] = []
    for app in apps:
        if not yes:
            what = "and all its data" if data or expired else "but its data"
            gone(f"Remove {app.instance} {what}?", app.environment)

        async def story(app: App = app) -> bool:
            async with cluster_of(app, file, context) as cluster:
                found = await marks.there(app, cluster)
                # Who brought it up again while we asked has given it more time.
                if expired and not found.expired(utc()):
                    return False
                await destroy(app, cluster, console.sink, data=data or expired)
                return True

        went = run(story())
        where = {"app": app.name, "environment": app.environment, "namespace": app.namespace}
        ended.append(Ended(**where, down=went, data=went and (data or expired)))
        if not as_json:
            console.print(f"{app.instance} {'is down' if went else 'has time again, and stays'}")
    if as_json:
        console.json(Down(environments=ended))


def _app(file: Path, name: str, hint: str) -> App:
    """The app of an environment that is made from a template; `hint` is what does the same for one that is not.

    Raises:
        UsageError: it is declared by itself, or there is no template that it could be made from.
    """
    from nuages.errors import UsageError
    from nuages.spec.load import load

    spec = load(file)
    if name in spec.environments and name not in spec.templates:
        raise UsageError(f"{name} is declared by itself, and made from no template", hint=hint.format(name=name))
    return app_of(file, name)


def _expired(file: Path, context: str | None) -> list[App]:
    from nuages.app.components import resolve
    from nuages.release.environments.listing import listed
    from nuages.release.world import utc
    from nuages.spec.load import load

    spec = load(file)
    made: dict[str, App] = {}
    for template in spec.templates:
        app = resolve(spec, template)

        async def story(app: App = app) -> list[Listed]:
            async with cluster_of(app, file, context) as cluster:
                return await listed(app.name, lambda _, __: (), cluster, utc())

        for one in run(story()):
            if one.state == "expired" and spec.template(one.environment) == one.template == template:
                made[one.environment] = resolve(spec, one.environment)
    return list(made.values())


def _variables(found: Sequence[Variable], width: int | None) -> list[str]:
    """A line for each; where it is too wide, the value below its name, whole, so that it can be copied."""
    names = max((len(one.name) for one in found), default=0)
    lines = []
    for one in found:
        value, source = harmless(one.value).replace("\n", "\\n"), f"# {one.source}"
        if width is None or len(f"  {one.name:<{names}}  {value}  {source}") <= width:
            lines.append(f"  {one.name:<{names}}  {value}  {console.style(source, 'dim')}")
        else:
            lines += [f"  {one.name}", f"    {value}", f"    {console.style(source, 'dim')}"]
    return lines


def _lines(found: list[Listed], now: datetime, width: int | None = None) -> list[str]:
    """The table: name, what it does, data, time left, address."""
    from nuages.cli.narrow import table

    if not found:
        return ["no environment is there; nuages env up NAME makes one from a template"]
    rows = [
        (
            one.environment,
            one.template or "-",
            f"{one.state} {one.ready}/{one.wanted}" if one.state in ("serves", "starts") else one.state,
            _left(one, now),
            one.data or "-",
            *one.hosts[:1],
        )
        for one in found
    ]
    return table([("ENVIRONMENT", "TEMPLATE", "STATE", "ENDS IN", "DATA", "HOST"), *rows], width)


def _left(one: Listed, now: datetime) -> str:
    if one.expires is None:
        return "-"
    minutes = int((one.expires - now).total_seconds() // 60)
    if minutes < 0:
        return "over"
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes < 48 * 60 else f"{minutes // 1440} days"
