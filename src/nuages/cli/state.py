"""`nuages state`: what exists nowhere else, in one encrypted file."""

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
    from nuages.release.keeping.state import State

PATH = click.Path(path_type=Path)


@click.group()
def command() -> None:
    """What exists nowhere else, encrypted (age): export, import."""


@command.command()
@click.argument("target", metavar="FILE", type=PATH)
@cluster_options
@click.option("--recipient", "-r", "recipients", multiple=True, metavar="KEY", help="Whose key opens it: age1...")
@click.option("--database", is_flag=True, help="With the rows of the database; they pass through memory here.")
@done_option
def export(
    target: Path,
    *,
    file: Path,
    environment: str,
    context: str | None,
    recipients: tuple[str, ...],
    database: bool,
    as_json: bool,
) -> None:
    """Write secrets and releases' records into an encrypted FILE, for the day the cluster is lost.

    To one key or several (ssh-ed25519 and ssh-rsa are taken too), or by a passphrase that is asked for. Uploads are
    not in it: they are in a bucket, or on a volume.
    """
    from nuages.host import files
    from nuages.release.keeping import state

    app = app_of(file, environment)
    cluster = cluster_of(app, file, context)
    passphrase = "" if recipients else _passphrase(confirm=True)

    async def story() -> State:
        async with cluster:
            return await state.export(app, cluster, console.sink, database=database)

    made = run(story())
    files.replace(target, state.encrypted(made, recipients, passphrase), mode=0o600)
    if as_json:
        _tell(app, target, made, _objects(made), database=made.database is not None)
        return
    what = "secrets, records and the database" if made.database else "secrets and records"
    console.print(f"{target} has {what} of {app.name} in {app.environment}, encrypted")


@command.command("import")
@click.argument("source", metavar="FILE", type=PATH)
@cluster_options
@click.option("--identity", "-i", type=PATH, metavar="FILE", help="The file with the key that opens it.")
@click.option("--database", is_flag=True, help="Bring the database back instead, after the first deploy.")
@sure_option
@done_option
def import_(
    source: Path,
    *,
    file: Path,
    environment: str,
    context: str | None,
    identity: Path | None,
    database: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Bring secrets and records back from FILE, into a namespace that has none of them yet.

    \b
    nuages state import blog.age -i key.txt               first
    nuages deploy                                         then
    nuages state import blog.age -i key.txt --database    where the database is in it
    """
    from nuages.release import binding
    from nuages.release.keeping import state

    app = app_of(file, environment)
    cluster = cluster_of(app, file, context)
    sure(app, cluster, "Give another database to" if database else "Bring secrets and records back to", yes=yes)
    text, key = _text(source), _text(identity) if identity else ""
    found = state.decrypted(text, key, "" if identity else _passphrase(confirm=False))

    async def story() -> tuple[list[str], str | None]:
        async with cluster:
            if database:
                return [], (await state.restore_database(app, found, cluster, console.sink)).old
            return await state.restore(app, found, cluster, console.sink), None

    objects, before = run(story())
    binding.bind(app, cluster, file.absolute().parent)
    if as_json:
        _tell(app, source, found, objects, database=database, before=before)
    elif database:
        console.print(f"{app.name} has the database of {found.made:%Y-%m-%d %H:%M}; the one before is {before}")
    else:
        console.print(f"secrets and records of {found.made:%Y-%m-%d %H:%M} are back; next: nuages deploy")


def _tell(app: App, file: Path, found: State, objects: list[str], *, database: bool, before: str | None = None) -> None:
    from nuages.cli.done import Carried, done

    told = {"file": str(file), "made": found.made, "by": found.by, "objects": objects}
    console.json(done(Carried, app, **told, database=database, before=before))


def _objects(found: State) -> list[str]:
    return [f"{item['kind']}/{item['metadata']['name']}" for item in found.objects]


def _passphrase(*, confirm: bool) -> str:
    from nuages.errors import UsageError

    if not sys.stdin.isatty():
        hint = "--recipient age1... to export, --identity FILE to import"
        raise UsageError("nobody is here to be asked for a passphrase", hint=hint)
    given: str = click.prompt("Passphrase", hide_input=True, confirmation_prompt=confirm, err=True)
    return given


def _text(path: Path) -> str:
    from nuages.errors import UsageError

    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot be read: {error}", place=str(path)) from error
