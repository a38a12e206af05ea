"""What a person should know of how an image came to be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nuages.findings import Finding, Level, Place
from nuages.image.additions import Addition
from nuages.image.dependencies import Environment
from nuages.image.ignore import Selection
from nuages.image.made import Made
from nuages.project.facts import Facts


def of_build(found: Facts, environment: Environment, made: Made, selection: Selection) -> tuple[Finding, ...]:
    """Of an image that nuages put together."""
    declared = Place(found.dependencies.files[-1] if found.dependencies else "")
    findings = list(added(environment.added, declared))
    findings += [Finding("image.W101", Level.WARNING, note, declared) for note in environment.notes]
    findings += [Finding("image.I102", Level.INFO, note, declared) for note in environment.left_out]
    if made.told.static_missing:
        listed = ", ".join(made.told.static_missing[:5]) + (" …" if len(made.told.static_missing) > 5 else "")
        findings.append(Finding("image.W103", Level.WARNING, f"static files refer to what nobody has: {listed}"))
    if made.told.static_skipped:
        findings.append(
            Finding("project.W103", Level.WARNING, f"static files are not collected: {made.told.static_skipped}")
        )
    if selection.left_out:
        findings.append(Finding("project.I104", Level.INFO, f"not in the image: {', '.join(selection.left_out)}"))
    return tuple(findings)


def added(additions: Iterable[Addition], declared: Place) -> Iterator[Finding]:
    """What was installed though the project does not name it."""
    for why, names in _by_reason(additions).items():
        listed = f"{', '.join(names)} {'was' if len(names) == 1 else 'were'} added"
        driver = any(name.startswith("psycopg") for name in names)
        hint = "" if not driver else "add psycopg[binary] to the dependencies, so that its version is yours"
        level, known = (Level.WARNING, "project.W101") if driver else (Level.INFO, "project.I102")
        yield Finding(known, level, f"{listed} {why}", declared, hint)


def _by_reason(added: Iterable[Addition]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for addition in added:
        found.setdefault(addition.why, []).append(addition.line())
    return found
