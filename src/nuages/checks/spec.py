"""All findings that a spec file leads to, with their places in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from nuages.app.build import Build
from nuages.app.components import App, resolve
from nuages.checks import app as apps
from nuages.checks import objects
from nuages.errors import Refused, UsageError
from nuages.findings import Finding, errors
from nuages.render.manifest import render
from nuages.render.others import written
from nuages.render.release import Release
from nuages.spec.load import Spec, load

# What an image would say that is not built yet. The name says so to whoever finds it in printed objects.
NOT_BUILT = f"not-built@sha256:{'0' * 64}"


def accepted(file: Path, environment: str) -> App:
    """The app of one environment, which no check refuses.

    Raises:
        SpecInvalid: the file itself is wrong.
        UsageError: there is no such file or environment, or it is only a template.
        Refused: the app is; with all findings.
    """
    spec = load(file)
    if environment in spec.templates:
        hint = f"nuages env up {environment}-1 makes one from it"
        raise UsageError(f"{environment} is a template, and no environment itself", hint=hint)
    findings = in_environment(spec, environment)
    if refusing := errors(findings):
        raise Refused(counted(len(refusing)), findings=findings)
    return resolve(spec, environment)


def counted(number: int) -> str:
    """The last line of a refusal."""
    return f"{number} finding{'' if number == 1 else 's'}, nothing was touched."


def check(spec: Spec, environment: str | None = None) -> list[Finding]:
    """All findings of one environment, or of all of them, in the order of the file.

    Raises:
        UsageError: there is no such environment.
    """
    findings = list(spec.warnings)
    for name in [environment] if environment else spec.environments:
        findings += [finding for finding in in_environment(spec, name) if finding not in findings]
    # What refuses is not warned of as well.
    refused = [finding.place[:2] for finding in findings if finding.id == "objects.E121"]
    findings = [each for each in findings if each.id != "spec.W210" or each.place[:2] not in refused]
    return sorted(findings, key=lambda finding: (finding.place.line, finding.place.column))


def in_environment(spec: Spec, environment: str) -> list[Finding]:
    """What is wrong with the app of one environment and with its objects."""
    app = resolve(spec, environment)
    release = Release(
        number=1, template=1, build=not_built(app.image), secrets=f"{app.secret}-0" if app.secrets else None
    )
    found = apps.check(app)
    declared = msgspec.to_builtins(spec.environment(environment))
    placed = [finding._replace(place=spec.place(_path(finding.place.path, declared), environment)) for finding in found]
    if any(finding.id == "app.E145" for finding in found):
        return placed
    for finding in objects.check(render(app, release).objects):
        source = _source(app, finding.place.path)
        where = spec.place(_path(source, declared), environment) if source else finding.place
        placed.append(finding._replace(place=where._replace(path=finding.place.path)))
    return placed


def _path(text: str, declared: Any) -> tuple[str | int, ...]:
    """A path as findings write it, as one of the spec: names in it may have dots, and entries of lists are numbers."""
    path: list[str | int] = []
    parts = text.split(".")
    while parts:
        many = 1
        if isinstance(declared, dict):
            many = next((end for end in range(1, len(parts) + 1) if ".".join(parts[:end]) in declared), 1)
        name: str | int = ".".join(parts[:many])
        if isinstance(declared, list) and parts[0].isdecimal():
            name = int(parts[0])
        known = isinstance(declared, dict) and name in declared
        known = known or (isinstance(name, int) and name < len(declared))
        declared = declared[name] if known else None
        path.append(name)
        parts = parts[many:]
    return tuple(path)


def _source(app: App, where: str) -> str:
    """What of the spec brought about that an object has a fault; "" where it is nuages' own."""
    container = where.rpartition(".")[2]
    for section, extras in (("sidecars", app.sidecars), ("init", app.init)):
        if container in extras:
            return f"{section}.{container}"
    kind, _, variable = where.partition(".")
    if kind.startswith(f"ConfigMap/{app.name}-env") and variable in app.env:
        return f"env.{variable}"
    named = [(f"patches.{index}", patch.target.kind, patch.target.name) for index, patch in enumerate(app.patches)]
    named += [
        (f"objects.{index}", item["kind"], item["metadata"]["name"])
        for index, file in enumerate(app.objects)
        for item in written(app.inlined.get(file, ""))
    ]
    return next((path for path, kind, name in named if f"{where}.".startswith(f"{kind}/{name}.")), "")


def not_built(image: str) -> Build:
    """Stands for an image that is not built: it can be rendered, and never be pulled."""
    return Build(
        reference=f"{image}/{NOT_BUILT}",
        wsgi="not_built.wsgi:application",
        asgi="not_built.asgi:application",
        settings="not_built.settings",
        media_root="/app/media",
    )
