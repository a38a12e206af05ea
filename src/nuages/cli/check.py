"""`nuages check`: everything that is wrong with a spec, with what it makes, and with the project beside it."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(short_help="Check nuages.yaml; every finding at once, nothing touched.")
@click.option(
    "--file", "-f", type=click.Path(path_type=Path), default=Path("nuages.yaml"), show_default=True, help="The spec."
)
@click.option("--environment", "-e", help="Only this environment; all of them, left out.")
@click.option("--json", "as_json", is_flag=True, help="One finding a line, as JSON.")
def command(file: Path, environment: str | None, as_json: bool) -> None:
    """Check the spec, what it amounts to in each environment, and the project beside it; exit code 3 where something
    is wrong.
    """
    import msgspec

    from nuages.app.components import resolve
    from nuages.checks.spec import check, counted
    from nuages.cli.console import console
    from nuages.errors import Refused, SpecInvalid
    from nuages.findings import errors
    from nuages.project import match
    from nuages.spec.load import load

    try:
        spec = load(file)
        findings = check(spec, environment)
        for name in [environment] if environment else spec.environments:
            found = match.findings(file.absolute().parent, resolve(spec, name))
            findings += [finding for finding in found if finding not in findings]
    except SpecInvalid as invalid:
        findings = list(invalid.findings)
    if as_json:
        for finding in findings:
            told = {"schema": 1} | finding._asdict() | {"place": finding.place._asdict()}
            console.print(msgspec.json.encode(told).decode())
    if errors(findings):
        raise Refused(counted(len(findings)), findings=[] if as_json else findings)
    if not as_json:
        console.findings(findings)
        console.print(counted(len(findings)))
