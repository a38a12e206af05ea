"""`nuages init`: from a project's files to its first nuages.yaml."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nuages.cli.asked import done_option
from nuages.cli.console import console
from nuages.errors import Refused, UsageError

if TYPE_CHECKING:
    from nuages.project.facts import Facts, Variable


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, exists=True, file_okay=False), default=Path())
@click.option("--name", help="What to call the app; the folder's name, left out.")
@click.option("--image", help="The repository its images go to.")
@click.option("--settings", help="The settings module; found, left out.")
@click.option("--yes", "-y", is_flag=True, help="Write without asking.")
@click.option("--force", is_flag=True, help="Replace the nuages.yaml that is there.")
@done_option
def command(
    directory: Path,
    *,
    name: str | None,
    image: str | None,
    settings: str | None,
    yes: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Read a Django project and write its nuages.yaml.

    Only files are read: nothing of the project is run, and none of its own files is changed. In a terminal it asks
    what no file can tell; --yes and --json never ask.
    """
    from nuages.findings import errors
    from nuages.project.draft import draft
    from nuages.project.inspect import inspect
    from nuages.spec import schema

    target = directory / "nuages.yaml"
    if target.exists() and not force:
        raise UsageError(f"{target} is there already", hint="nuages init --force replaces it")
    facts = inspect(directory, settings)
    if errors(list(facts.problems)):
        raise Refused("the project can't be deployed as it is; nothing was written", findings=facts.problems)
    for line in [] if as_json else summary(facts):
        console.print(line)
    console.findings(facts.problems)
    asking = not (yes or as_json) and sys.stdin.isatty()
    if asking:
        image = image or _image()
        facts = _answered(facts)
    text = draft(facts, name, image, directory)
    if asking:
        console.print(f"\n{text}")
        click.confirm(f"Write {target}?", default=True, abort=True)
    target.write_text(text, encoding="utf-8")
    # Beside it, so that an editor completes and checks without a network.
    beside = directory / schema.FILE.name
    beside.write_bytes(schema.FILE.read_bytes())
    if as_json:
        from nuages.cli.done import Initialised

        console.json(Initialised(wrote=[str(target), str(beside)], findings=list(facts.problems)))
        return
    console.print(f"\nwrote {target}; next: nuages check, then nuages deploy")


def summary(facts: Facts) -> list[str]:
    """What was found, a line each, with where it was read; a question mark where it was concluded."""
    from nuages.project import report

    required = [variable for variable in facts.variables if variable.required]
    found = [row for row in report.rows(facts) if row.topic in _TOLD]
    width = max(len("variables"), *(len(row.topic) for row in found))
    lines = [f"Found in {facts.root}"]
    for row in found:
        doubt = "" if row.sure else "?"
        lines.append(f"  {row.topic:<{width}}  {row.value}{doubt}  {console.style(str(row.place), 'dim')}".rstrip())
    lines.append(f"  {'variables':<{width}}  {len(facts.variables)} read from the environment")
    lines += [f"  {'':<{width}}  {one.name} has no default  {console.style(str(one.place), 'dim')}" for one in required]
    return lines


_TOLD = {
    *("settings", "django", "python", "packages", "wsgi", "asgi", "database", "redis", "celery", "beat", "worker"),
    *("uploads", "writes to", "front end"),
}


def _image() -> str | None:
    """The one thing that every team has to say: where its images go."""
    question = "Where do images go? A repository; nothing for this machine only"
    answer = click.prompt(question, default="", show_default=False)
    return answer or None


def _answered(facts: Facts) -> Facts:
    """The facts with what a person says of variables without a default; secret ones are never asked here."""
    import msgspec

    from nuages.project.draft import secret

    def ask(variable: Variable) -> Variable:
        if not variable.required or secret(variable) or variable.suggestion is not None or variable.kind == "db":
            return variable
        if variable.name in facts.database_variables or variable.name in facts.redis_variables:
            return variable
        if variable.setting == "ALLOWED_HOSTS":
            return variable
        said = click.prompt(f"{variable.name} ({variable.place})", default="", show_default=False)
        return msgspec.structs.replace(variable, suggestion=said)

    return msgspec.structs.replace(facts, variables=tuple(ask(variable) for variable in facts.variables))
