"""`nuages config`: what nuages.yaml amounts to, what its fields are, and how an older one is brought up to date."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nuages.cli.console import console
from nuages.cli.explained import explained, flow
from nuages.cli.target import spec_options
from nuages.cli.wording import paint

if TYPE_CHECKING:
    from nuages.spec.load import Spec
    from nuages.spec.origins import Origin

CHANGES = 5
"""The exit code of --diff where there are changes, as that of `nuages plan --exit-code`."""


@click.group()
def command() -> None:
    """What nuages.yaml amounts to: get a value, explain a field, migrate the file."""


@command.command()
@click.argument("path", default="")
@spec_options
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def get(path: str, file: Path, environment: str, as_json: bool) -> None:
    """A value as it is in an environment, and where it comes from: the environment's patch, the base, or a default.

    A value alone is on standard output, its origin on standard error. Below a map each line has its origin as a
    comment: it is YAML still. Without PATH, all of it. What follows from the spec is found too: web.main.timing.grace.

    \b
    nuages config get web.main.replicas -e production
    nuages config get expose
    """
    import msgspec

    from nuages.errors import UsageError
    from nuages.release import redact
    from nuages.spec.describe import path_of
    from nuages.spec.load import load
    from nuages.spec.origins import origin

    spec = load(file)
    whole = _shown(msgspec.to_builtins(spec.environment(environment)), redact)
    try:
        at = path_of(path, whole)
    except UsageError:
        if not _derived(spec, environment, path, as_json=as_json, must=True):
            raise
        return
    value: Any = whole
    for part in at:
        value = value[part]
    if value is None and _derived(spec, environment, path, as_json=as_json, must=False):
        return
    found = origin(spec, environment, at)
    if as_json:
        _json(path, environment, value, found.source, _where(found))
    elif isinstance(value, dict) and value:
        for line in _lines(spec, environment, at, value):
            console.print(line)
    else:
        console.print(flow(value))
        click.echo(console.style(_said(found), "dim"), err=True)


@command.command()
@click.argument("path", default="")
@click.option("--recursive", "-r", is_flag=True, help="Every field below it, as a tree is read.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def explain(path: str, recursive: bool, as_json: bool) -> None:
    """What a field of nuages.yaml is: its form, its default, an example, and what is below it. Needs no file.

    The names of a map may be left out: web.replicas is web.NAME.replicas.

    \b
    nuages config explain web.requestTimeout
    nuages config explain services.postgres
    """
    for line in explained(path, paint(sys.stdout), recursive=recursive, as_json=as_json):
        console.print(line)


@command.command()
@click.option("--file", "-f", type=click.Path(path_type=Path), default=Path("nuages.yaml"), show_default=True,
              help="The spec.")  # fmt: skip
@click.option(
    "--diff",
    is_flag=True,
    help=f"Show what would change, and write nothing; exit code {CHANGES} where something would.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was changed, or with --diff would be, as JSON.")
def migrate(file: Path, diff: bool, as_json: bool) -> int:
    """Bring a nuages.yaml into the newest form; comments and layout stay as they are.

    Also names that are misspelled, where it is plain what was meant. Each change is told with its place. A
    nuages.schema.json beside it, which editors read, becomes that of this nuages.
    """
    from nuages.errors import UsageError
    from nuages.host.files import replace
    from nuages.spec import schema
    from nuages.spec.document import dotted
    from nuages.spec.migrate import CURRENT, migrated

    try:
        raw = file.read_bytes()
    except FileNotFoundError:
        raise UsageError(f"no {file.name} in {file.parent.resolve()}", hint="`nuages init` writes one") from None
    made = migrated(raw, file.name)
    editors = file.with_name(schema.FILE.name)
    before = raw.decode("utf-8-sig", errors="replace")
    refreshed = not diff and editors.exists() and editors.read_text() != (fresh := schema.FILE.read_text())
    if refreshed:
        replace(editors, fresh)
    if as_json:
        if not diff and made.text != before:
            replace(file, made.text)
        edits = [edit._asdict() | {"path": dotted(edit.path)} for edit in made.edits]
        console.json({"schema": 1, "file": str(file), "form": CURRENT, "edits": edits, "editorsFile": refreshed})
        return CHANGES if diff and made.text != before else 0
    if refreshed:
        console.print(f"{editors.name} is that of this nuages now: your editor reads it")
    if made.text == before:
        console.print(f"{file.name} is {CURRENT}; nothing to change")
        return 0
    if diff:
        import difflib

        for line in difflib.unified_diff(
            before.splitlines(), made.text.splitlines(), file.name, "migrated", "", "", 2, ""
        ):
            console.print(line)
        return CHANGES
    replace(file, made.text)
    for edit in made.edits:
        console.print(
            f"{file.name}:{edit.line}:{edit.column}: {dotted(edit.path)}  {edit.new} for {edit.old}: {edit.why}"
        )
    return 0


def _shown(whole: dict[str, Any], redact: Any) -> dict[str, Any]:
    """The spec without what is secret in it, should somebody have written some."""

    def walked(value: Any, name: str = "") -> Any:
        match value:
            case dict():
                return {key: walked(one, name if key == "value" else str(key)) for key, one in value.items()}
            case list():
                return [walked(one, name) for one in value]
            case str():
                return redact.text(value)
            case _:
                return value

    made: dict[str, Any] = walked(whole)
    for name, variable in made["env"].items():
        if variable.get("value"):
            variable["value"] = redact.variable(name, variable["value"])
    return made


def _derived(spec: Spec, environment: str, path: str, *, as_json: bool, must: bool) -> bool:
    """Show what follows from the spec at a path; False where nothing does."""
    from nuages.app.components import resolve
    from nuages.project.explain import chosen, explain

    lines = [line for line in chosen(explain(resolve(spec, environment)), path) if path]
    exact = [line for line in lines if line.path == path]
    if as_json and exact:
        _json(path, environment, exact[0].value, "derived", {"why": exact[0].why})
    elif exact:
        console.print(exact[0].value)
        click.echo(console.style(f"follows: {exact[0].why}", "dim"), err=True)
    elif lines and must and not as_json:
        for line in lines:
            console.print(f"{line.path}: {line.value}  # follows: {line.why}")
    return bool(exact or (lines and must and not as_json))


def _lines(spec: Spec, environment: str, at: tuple[str | int, ...], value: Any, indent: str = "") -> list[str]:
    """A map as YAML, each value with its origin behind it."""
    from nuages.spec.origins import origin

    lines = []
    for key, one in value.items():
        name = flow(str(key))
        if isinstance(one, dict) and one:
            lines += [f"{indent}{name}:", *_lines(spec, environment, (*at, key), one, f"{indent}  ")]
            continue
        found = origin(spec, environment, (*at, key))
        if one is None and found.place is None:
            continue  # what nobody said, and is nothing
        text = f"{indent}{name}: {flow(one)}"
        lines.append(f"{text:<40}  {console.style(f'# {_said(found)}', 'dim')}")
    return lines


def _said(found: Origin) -> str:
    """default; nuages.yaml:3:5; nuages.yaml:41:9 (environments.production)."""
    if found.place is None:
        return found.source
    place = ":".join(str(part) for part in found.place[:3])
    return place if found.source == "base" else f"{place} ({found.source})"


def _where(found: Origin) -> dict[str, Any]:
    place = found.place
    return {"file": place.file, "line": place.line, "column": place.column} if place else {}


def _json(path: str, environment: str, value: Any, source: str, more: dict[str, Any]) -> None:

    told = {"schema": 1, "environment": environment, "path": path, "value": value, "source": source, **more}
    console.json(told)
