"""`nuages check`: everything that is wrong with a spec, and in each environment with what it makes."""

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
    """Check the spec and what it amounts to in each environment; exit code 3 where something is wrong."""
    import msgspec

    from nuages.checks.spec import check, counted
    from nuages.cli.console import console
    from nuages.errors import Refused, SpecInvalid
    from nuages.findings import errors

    try:
        findings = check(file, environment)
    except SpecInvalid as invalid:
        findings = list(invalid.findings)
    if as_json:
        for finding in findings:
            console.print(msgspec.json.encode(finding._asdict() | {"place": finding.place._asdict()}).decode())
    if errors(findings):
        raise Refused(counted(len(findings)), findings=[] if as_json else findings)
    if not as_json:
        console.findings(findings)
        console.print(counted(len(findings)))
