"""Where a spec and the project beside it don't fit: what the project reads, and nobody gives."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nuages.app import stores
from nuages.app.components import App
from nuages.errors import Refused
from nuages.findings import Finding, Level, Place
from nuages.project.draft import DJANGO_PYTHONS
from nuages.project.facts import Facts, Variable
from nuages.project.follow import follow
from nuages.project.inspect import inspect
from nuages.project.known import UNKNOWN
from nuages.project.own import ALWAYS, Own
from nuages.project.requirements import Options
from nuages.render import access, bucket

MISSING = "app.E170"


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


def settled(folder: Path, app: App) -> None:
    """Make sure, before anything is built or touched, that the settings would load in the app's pods.

    Raises:
        Refused: they read variables that have no default, and that nobody gives.
    """
    if not (folder / app.django.root / "manage.py").is_file():
        return
    try:
        facts = of(folder, app)
    except Refused:
        return  # what is wrong with the project by itself is the build's to say
    if missing := [_missing(variable) for variable in lacking(facts, app)]:
        said = f"the settings of {app.name} would not load in {app.environment}; nothing was touched"
        raise Refused(said, findings=missing)


def lacking(facts: Facts, app: App) -> list[Variable]:
    """The variables without which no pod of this app would start: followed with those that it has, so that what only
    another environment reads is none of them.
    """
    suspects = [variable for variable in _ungiven(facts, app) if variable.sure]
    # An image of the project's own may have them, a patch, the project itself.
    if not suspects or app.build.dockerfile or MISSING in app.django.checks.ignore:
        return []
    world, _ = follow(facts.root, app.django.settings or facts.settings.value, _environment(facts, app))
    needed = {read.name for read in world.reads if read.required and read.sure}
    patched, own = repr(app.patches), Own(facts)
    missing = [each for each in suspects if each.name in needed and each.name not in patched]
    return [each for each in missing if not own.may_give(each)]


def _environment(facts: Facts, app: App) -> dict[str, Any]:
    """The variables of a pod, as far as settings branch by them: what is secret, of a ConfigMap or a service's has some
    value, and where that decides nobody knows which way it goes.
    """
    found: dict[str, Any] = dict.fromkeys([*app.secrets, *_given(app)], UNKNOWN)
    found |= {name: UNKNOWN if said.value is None else said.value for name, said in app.env.items()}
    if facts.configuration:
        found.setdefault("DJANGO_CONFIGURATION", facts.configuration.value)
    return found


def of(folder: Path, app: App) -> Facts:
    """The project of a spec that lies in a folder, with the settings and the dependencies that the spec names.

    Raises:
        Refused: there is no project, or no settings.
    """
    wanted = app.build.dependencies
    options = Options(wanted.file or "", tuple(wanted.extras), tuple(wanted.groups))
    return inspect(folder / app.django.root, app.django.settings, options)


def _variables(facts: Facts, app: App) -> Iterator[Finding]:
    missing = lacking(facts, app)
    for variable in _ungiven(facts, app):
        if variable in missing:
            yield _missing(variable)
            continue
        yield Finding(
            "project.W212",
            Level.WARNING,
            f"{variable.name} has no default, and the spec does not declare it",
            variable.place,
            f"add it to env, or to secrets: secrets: {{{variable.name}: {{}}}}",
        )


def _missing(variable: Variable) -> Finding:
    said = f"the settings do not load without {variable.name}, and nobody gives it"
    hint = f"env: {{{variable.name}: …}} in nuages.yaml, or secrets: {{{variable.name}: {{}}}}"
    return Finding(MISSING, Level.ERROR, said, variable.place, hint)


def _ungiven(facts: Facts, app: App) -> list[Variable]:
    """What is required, and neither declared nor a service's."""
    given = _given(app)
    return [
        each for each in facts.variables if each.required and each.name not in given and not app.declares(each.name)
    ]


def _given(app: App) -> set[str]:
    given = ALWAYS | ({"DATABASE_URL"} if app.databases.default else set())
    given |= {name for name, value in bucket.variables(app).items() if value}
    there = {*stores.declared(app)}
    there |= {"broker"} if there & {"redis", "rabbitmq"} else set()
    given |= {name for name, (service, _) in access.CONVENTIONS.items() if service in there}
    given |= {f"{service.upper()}_URL" for service in there & {"redis", "rabbitmq", "memcached"}}
    return given | ({"CELERY_BROKER_URL"} if "broker" in there else set())


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
