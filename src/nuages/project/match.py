"""Where a spec and the project beside it don't fit: what the project reads, and nobody gives."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from nuages.app import stores
from nuages.app.components import App
from nuages.errors import Refused
from nuages.findings import Finding, Level, Place
from nuages.project.draft import DJANGO_PYTHONS
from nuages.project.facts import Facts
from nuages.project.inspect import inspect
from nuages.project.requirements import Options
from nuages.render import access

# Given to every pod, or by the services that the spec declares.
_GIVEN = {"DJANGO_SETTINGS_MODULE", "HOSTNAME", "PATH", "HOME", "PORT", "RELEASE", "PYTHONPATH"}


def findings(folder: Path, app: App) -> list[Finding]:
    """What is wrong with the project of a spec that lies in a folder, by itself and with that spec.

    A folder without the project has no findings: a spec may be checked wherever it lies.
    """
    root = folder / app.django.root
    if not (root / "manage.py").is_file():
        return []
    try:
        facts = of(folder, app)
    except Refused as refused:
        return list(refused.findings)
    settled = {"project.W214"} if app.postgres is None else set()
    settled |= {"project.I215"} if app.build.frontend else set()
    problems = (problem for problem in facts.problems if problem.id not in settled)
    return [*problems, *_variables(facts, app), *_python(facts, app)]


def of(folder: Path, app: App) -> Facts:
    """The project of a spec that lies in a folder, with the settings and the dependencies that the spec names.

    Raises:
        Refused: there is no project, or no settings.
    """
    wanted = app.build.dependencies
    options = Options(wanted.file or "", tuple(wanted.extras), tuple(wanted.groups))
    return inspect(folder / app.django.root, app.django.settings, options)


def _variables(facts: Facts, app: App) -> Iterator[Finding]:
    given = _GIVEN | ({"DATABASE_URL"} if app.databases.default else set())
    there = {*stores.declared(app)}
    there |= {"broker"} if there & {"redis", "rabbitmq"} else set()
    given |= {name for name, (service, _) in access.CONVENTIONS.items() if service in there}
    given |= {f"{service.upper()}_URL" for service in there & {"redis", "rabbitmq", "memcached"}}
    given |= {"CELERY_BROKER_URL"} if "broker" in there else set()
    for variable in facts.variables:
        if variable.required and variable.name not in given and not app.declares(variable.name):
            yield Finding(
                "project.W212",
                Level.WARNING,
                f"{variable.name} has no default, and the spec does not declare it",
                variable.place,
                f"add it to env, or to secrets: secrets: {{{variable.name}: {{}}}}",
            )


def _python(facts: Facts, app: App) -> Iterator[Finding]:
    version = re.match(r"(\d+)\.(\d+)", facts.django.value) if facts.django else None
    bounds = DJANGO_PYTHONS.get((int(version[1]), int(version[2]))) if version else None
    minor = int(app.django.python.partition(".")[2])
    if facts.django and bounds and not bounds[0] <= minor <= bounds[1]:
        yield Finding(
            "project.W213",
            Level.WARNING,
            f"Django {facts.django.value} is not made for Python {app.django.python}",
            Place(path="django.python"),
            f"Python 3.{bounds[0]} to 3.{bounds[1]}",
        )
