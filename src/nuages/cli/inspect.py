"""`nuages inspect`: what is known of a project, each fact with where it was read and how sure it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nuages.cli import loading
from nuages.cli.console import console

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nuages.findings import Finding
    from nuages.project.report import Row


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, exists=True, file_okay=False), default=Path())
@click.option("--files", "only_files", is_flag=True, help="Read files only; load nothing.")
@click.option("--json", "as_json", is_flag=True, help="Everything as JSON.")
def command(directory: Path, only_files: bool, as_json: bool) -> None:
    """Show what is known of a Django project, with the file and line of each fact.

    A question mark stands behind what was concluded rather than read. After the files, the settings are loaded in a
    container with the project's own dependencies, where this machine can: nothing of the project runs in the tool.
    """
    from nuages.errors import Refused
    from nuages.findings import errors
    from nuages.project import report
    from nuages.project.inspect import inspect

    facts = inspect(directory)
    refusing = errors(list(facts.problems))
    tables = {"facts": report.rows(facts), "variables": report.variables(facts), "hints": report.hints(facts)}
    if not as_json:
        console.print(f"Found in {facts.root}")
        for rows in (tables["facts"], tables["variables"]):
            table(rows)
    loaded = None
    if not only_files and not refusing:
        loaded = loading.load(directory, loading.app_for(directory, facts))
    tables["loaded"] = loading.rows(loaded.told) if loaded and loaded.told else []
    if as_json:
        _json(tables, facts.problems, loaded.why_not if loaded else "")
    elif loaded:
        console.print(f"\nNot loaded: {loaded.why_not}" if loaded.why_not else "\nLoaded in its own environment")
        table(tables["loaded"])
    if refusing:
        raise Refused("the project can't be deployed as it is", findings=[] if as_json else facts.problems)
    if not as_json:
        console.findings(facts.problems)


def table(rows: list[Row]) -> None:
    """Rows in three columns: topic, value, place."""
    width = max((len(row.topic) for row in rows), default=0)
    for row in rows:
        doubt = "" if row.sure else "?"
        place = f"  {console.style(str(row.place), 'dim')}" if str(row.place) else ""
        console.print(f"  {row.topic:<{width}}  {row.value}{doubt}{place}")


def _json(tables: dict[str, list[Row]], problems: Iterable[Finding], why_not: str) -> None:

    known: dict[str, object] = {"schema": 1, **{name: [plain(row) for row in rows] for name, rows in tables.items()}}
    known["problems"] = [finding._asdict() | {"place": finding.place._asdict()} for finding in problems]
    known["notLoaded"] = why_not
    console.json(known)


def plain(row: Row) -> dict[str, object]:
    """A row as JSON has it."""
    return row._asdict() | {"place": row.place._asdict()}
