"""`nuages explain`: every conclusion, change to the settings and derived value, each with its reason."""

from __future__ import annotations

from pathlib import Path

import click

from nuages.cli import loading
from nuages.cli.console import console
from nuages.cli.target import app_of, spec_options


@click.command()
@click.argument("path", default="")
@spec_options
@click.option("--files", "only_files", is_flag=True, help="Read files only; the changes to the settings are left out.")
@click.option("--json", "as_json", is_flag=True, help="The same as JSON.")
def command(path: str, file: Path, environment: str, only_files: bool, as_json: bool) -> None:
    """Show what was concluded from the project, what the runtime does to its settings, and what follows from the spec.

    PATH narrows it down: web.main, services, env.ALLOWED_HOSTS, or the name of a setting.

    \b
    nuages explain web.main.timing
    nuages explain SECRET_KEY
    """
    from nuages.cli.inspect import plain, table
    from nuages.errors import UsageError
    from nuages.project import match, report
    from nuages.project.explain import chosen, explain

    app = app_of(file, environment)
    folder = file.absolute().parent
    facts = match.of(folder, app)
    rows = [*report.rows(facts), *report.variables(facts)]
    lines = explain(app, facts)
    loaded = None if only_files else loading.load(folder, app)
    changes = list(loaded.told.overlay) if loaded and loaded.told else []
    if path:
        lines = chosen(lines, path)
        changes = [change for change in changes if change.setting == path]
        rows = [row for row in rows if path.lower() in {row.topic.replace(" ", "_"), *row.value.lower().split(" ")}]
        if not (lines or changes or rows):
            raise UsageError(f"nothing is known of {path}", hint="nuages explain, without a path, shows all")
    if as_json:
        told: dict[str, object] = {"concluded": [plain(row) for row in rows]}
        told["follows"] = [line._asdict() for line in lines]
        told["settings"] = [{"setting": one.setting, "action": one.action, "why": one.why} for one in changes]
        _json({"schema": 1, "environment": environment, **told, "notLoaded": loaded.why_not if loaded else ""})
        return
    if rows:
        console.print("Concluded from the project")
        table(rows)
    if changes:
        console.print("\nSettings, by the runtime")
        columns([(change.setting, change.action, change.why) for change in changes])
    elif loaded and loaded.why_not and not path:
        console.print(f"\nSettings: not loaded: {loaded.why_not}")
    if lines:
        console.print(f"\nWhat follows from the spec, in {environment}")
        columns([(line.path, line.value, line.why) for line in lines])


def _json(told: dict[str, object]) -> None:

    console.json(told)


def columns(lines: list[tuple[str, str, str]]) -> None:
    """What it is, its value and why, each below the other."""
    wide, narrow = (min(max(len(line[index]) for line in lines), 40) for index in (0, 1))
    for what, value, why in lines:
        console.print(f"  {what:<{wide}}  {value:<{narrow}}  {console.style(why, 'dim')}")
