"""`nuages init`: from a project's files to its first nuages.yaml."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nuages.cli.console import console
from nuages.errors import UsageError

if TYPE_CHECKING:
    from nuages.project.facts import Facts, Found


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, exists=True, file_okay=False), default=Path())
@click.option("--name", help="What to call the app; the folder's name, left out.")
@click.option("--image", help="The repository its images go to.")
@click.option("--yes", "-y", is_flag=True, help="Write without asking.")
@click.option("--force", is_flag=True, help="Replace the nuages.yaml that is there.")
def command(directory: Path, name: str | None, image: str | None, yes: bool, force: bool) -> None:
    """Read a Django project and write its nuages.yaml.

    Only files are read: nothing of the project is run, and none of its own files is changed.
    """
    from nuages.project.draft import draft
    from nuages.project.inspect import inspect
    from nuages.spec import schema

    target = directory / "nuages.yaml"
    if target.exists() and not force:
        raise UsageError(f"{target} is there already", hint="nuages init --force replaces it")
    facts = inspect(directory)
    text = draft(facts, name, image)
    for line in summary(facts):
        console.print(line)
    if not yes and sys.stdin.isatty():
        console.print(f"\n{text}")
        click.confirm(f"Write {target}?", default=True, abort=True)
    target.write_text(text)
    # Beside it, so that an editor completes and checks without a network.
    (directory / "nuages.schema.json").write_text(schema.text())
    console.print(f"\nwrote {target}; next: nuages check, then nuages deploy")


def summary(facts: Facts) -> list[str]:
    """What was found, a line each, with where it was read; a question mark where it was concluded."""
    required = [variable for variable in facts.variables if variable.required]
    declared = facts.dependencies
    django = declared.packages.get("django") if declared else None
    lines = [
        _line("settings", facts.settings),
        _line("wsgi", facts.wsgi),
        _line("database", facts.database),
        _line("uploads", facts.media_root),
        _line("python", facts.python),
        f"  {'packages':<10} {len(declared.packages)}, from {declared.files[-1]}" if declared else "",
        f"  {'django':<10} {django}" if django else "",
        f"  {'variables':<10} {len(facts.variables)} read from the environment",
        *(
            f"  {'':<10} {variable.name} has no default  {variable.place.file}:{variable.place.line}"
            for variable in required
        ),
    ]
    return [f"Found in {facts.root}", *(line for line in lines if line)]


def _line(title: str, found: Found | None) -> str:
    if found is None:
        return ""
    doubt = "" if found.sure else "?"
    return f"  {title:<10} {found.value}{doubt}  {console.style(str(found.place), 'dim')}"
