"""`nuages secrets`: the values that the spec only names. They come from a hidden prompt, a pipe or a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nuages.cli.asked import done_option
from nuages.cli.console import console
from nuages.cli.sure import sure, sure_option
from nuages.cli.target import app_of, cluster_of, cluster_options, run

if TYPE_CHECKING:
    from nuages.app.components import App
    from nuages.cli.done import Rotation, Value
    from nuages.progress import Event
    from nuages.release.values import Listing

LATER = "taken over by the next deploy"


@click.group()
def command() -> None:
    """Values of secrets: list, set, unset, import, rotate."""


@command.command("list")
@cluster_options
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def list_(file: Path, environment: str, context: str | None, as_json: bool) -> None:
    """Each secret's name, where its value comes from, and when it changed; never a value."""
    from nuages.cli.narrow import room, table
    from nuages.release import values

    app = app_of(file, environment)
    cluster = cluster_of(app, file, context)

    async def look() -> Listing:
        async with cluster:
            return await values.listing(app, cluster)

    found = run(look())
    if as_json:
        console.json(found)
        return
    rows = [
        (one.name, one.source, one.state.value, f"{one.changed:%Y-%m-%d %H:%M}" if one.changed else "", one.by)
        for one in found.secrets
    ]
    for line in table(rows, room(sys.stdout)):
        console.print(line)
    if not rows:
        console.print(f"{app.name} declares no secrets in {app.environment}")


@command.command("set")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@cluster_options
@done_option
def set_(names: tuple[str, ...], *, file: Path, environment: str, context: str | None, as_json: bool) -> None:
    """Set a secret's value: from a hidden prompt, or from a pipe. It takes effect with the next deploy.

    \b
    nuages secrets set SENTRY_DSN              asks, and shows nothing
    nuages secrets set RSA_KEY < key.pem       a file, or another program's output
    """
    from nuages.release import values

    _no_values(names)
    app = app_of(file, environment)
    for name in names:
        values.settable(app, name)
    given = _asked(names) if sys.stdin.isatty() else _piped(names)
    _tell(app, _put(app, given, file, context), as_json=as_json)


@command.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@cluster_options
@done_option
def unset(names: tuple[str, ...], *, file: Path, environment: str, context: str | None, as_json: bool) -> None:
    """Take a secret's value away. What serves keeps its copy; the next deploy asks for a value, or generates one."""
    from nuages.cli.done import Value
    from nuages.release import values

    app = app_of(file, environment)
    cluster = cluster_of(app, file, context)

    async def story() -> list[str]:
        async with cluster:
            return await values.remove(app, names, cluster)

    removed = run(story())
    _tell(app, [Value(name=each, state="unset" if each in removed else "absent") for each in names], as_json=as_json)


@command.command("import")
@click.argument("source", metavar="FILE", type=click.Path(path_type=Path, allow_dash=True))
@cluster_options
@done_option
def import_(source: Path, *, file: Path, environment: str, context: str | None, as_json: bool) -> None:
    """Set the secrets that a .env FILE (or - for a pipe) has values for; only those that the spec declares.

    What it leaves is named: what is not declared, is generated, or is kept by somebody else.
    """
    from nuages.cli.done import Value
    from nuages.release import dotenv, values

    app = app_of(file, environment)
    found = dotenv.read(_text(source), str(source))
    given: dict[str, bytes] = {}
    told: list[Value] = []
    for name, value in found.items():
        left = values.importable(app, name)
        left = left or ("empty" if not value.text else "")
        left = left or ("refers to another variable, and those are not filled in" if value.refers else "")
        if left:
            told.append(Value(name=name, state="left", why=f"{source}:{value.line}: {left}"))
        else:
            given[name] = value.text.encode()
    told += _put(app, given, file, context) if given else []
    _tell(app, told, as_json=as_json)
    if not given:
        click.echo(f"nothing in {source} was taken over", err=as_json)


@command.command()
@click.argument("name", metavar="SERVICE|SECRET_KEY")
@cluster_options
@sure_option
@click.option("--finish", is_flag=True, help="Of SECRET_KEY: forget the key from before.")
@done_option
def rotate(
    name: str, *, file: Path, environment: str, context: str | None, yes: bool, finish: bool, as_json: bool
) -> None:
    """Give a data store another password, or Django another key to sign with, while requests are answered.

    Of a data store that runs in the cluster two roles take turns: the new one is good before any pod is replaced, and
    the old one until no pod knows it. Of SECRET_KEY the old key is believed on, so that every session survives, until
    --finish. Where it is stopped, or fails, the same command goes on.

    \b
    nuages secrets rotate postgres
    nuages secrets rotate SECRET_KEY             a new key signs, the old one is believed
    nuages secrets rotate SECRET_KEY --finish    weeks later: the old one is forgotten
    """
    from nuages.app.parts import spoken
    from nuages.cli.done import Rotation, done
    from nuages.errors import UsageError
    from nuages.release.keeping import keys, rotation

    app = app_of(file, environment)
    store = name == "postgres"
    if not store and name not in app.secrets:
        signs = [one for one in app.secrets if one.endswith("SECRET_KEY")]
        raise UsageError(f"{name} can't be rotated", hint=f"there are {', '.join(['postgres', *signs])}")
    if store and finish:
        raise UsageError("--finish is for SECRET_KEY", hint="the old password of a data store goes by itself")
    cluster = cluster_of(app, file, context)
    sure(app, cluster, "Replace pods for another secret in", yes=yes)

    async def of_store() -> Rotation:
        async with cluster:
            made = await rotation.rotate(app, cluster, console.sink)
        return done(Rotation, app, name=name, state="replaced", user=made.user, workloads=made.workloads)

    async def of_key() -> Rotation:
        async with cluster:
            made = await (keys.finish if finish else keys.rotate)(app, name, cluster, _headed)
        state, number = "forgotten" if finish else "signs", made.record.number
        return done(Rotation, app, name=name, state=state, workloads=made.rolled, release=number)

    made = run(of_store() if store else of_key())
    if as_json:
        console.json(made)
        return
    for line in _rotated(made, spoken(environment)):
        console.print(line)


def _rotated(made: Rotation, where: str = "") -> list[str]:
    if made.state == "replaced":
        rolled = len(made.workloads)
        return [f"{made.name} has another password: {made.app} logs in as {made.user}, {rolled} rolled"]
    if made.state == "forgotten":
        return [f"release {made.release} believes the new {made.name} only"]
    return [
        f"release {made.release} signs with a new {made.name}, and believes the one from before",
        f"nuages secrets rotate {made.name} --finish{where} forgets it: when sessions have had their time",
    ]


def _headed(event: Event) -> None:
    """Progress, where one command makes several releases: each below a line that says which it is."""
    from nuages.progress import Told

    if isinstance(event, Told) and event.event == "begun":
        said = f": {event.fields['message']}" if event.fields["message"] else ""
        click.echo(console.style(f"release {event.fields['release']}{said}", "bold"), err=True)
    console.sink(event)


def _put(app: App, given: dict[str, bytes], file: Path, context: str | None) -> list[Value]:
    """Write them to where the environment lives, which from now on is bound to it, as by a deploy."""
    from nuages.cli.done import Value
    from nuages.release import binding, values

    cluster = cluster_of(app, file, context)

    async def story() -> None:
        async with cluster:
            await values.put(app, given, cluster)

    run(story())
    binding.bind(app, cluster, file.absolute().parent)
    return [Value(name=name, state="set") for name in given]


def _tell(app: App, told: list[Value], *, as_json: bool) -> None:
    from nuages.cli.done import Values, done

    if as_json:
        console.json(done(Values, app, secrets=told))
        return
    for one in told:
        where, _, why = one.why.partition(": ")
        said = {"left": f"left {one.name} ({where}): {why}", "absent": f"{one.name} had no value"}
        console.print(said.get(one.state, f"{one.name} is {one.state}, {LATER}"))


def _no_values(names: tuple[str, ...]) -> None:
    """A value on the command line is seen by every process of this machine, and kept in the shell's history."""
    from nuages.errors import UsageError

    for name in names:
        if "=" in name:
            bare = name.partition("=")[0]
            raise UsageError(
                "a value does not belong on the command line: other processes and the shell's history see it",
                hint=f"nuages secrets set {bare}, and type it; the one you gave is known now, so take another",
            )


def _asked(names: tuple[str, ...]) -> dict[str, bytes]:
    return {name: click.prompt(name, hide_input=True, err=True).encode() for name in names}


def _piped(names: tuple[str, ...]) -> dict[str, bytes]:
    """All of standard input, but for the end of the last line, which editors and `echo` add."""
    from nuages.errors import UsageError

    if len(names) > 1:
        raise UsageError("a pipe has one value", hint="nuages secrets import - takes several, as NAME=value lines")
    return {names[0]: sys.stdin.buffer.read().removesuffix(b"\n").removesuffix(b"\r")}


def _text(source: Path) -> str:
    from nuages.errors import UsageError

    try:
        return sys.stdin.read() if str(source) == "-" else source.read_text()
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", place=str(source)) from error
    except UnicodeDecodeError:
        raise UsageError("is no UTF-8 text", place=str(source)) from None
