"""What starts anew and how long it took before: from the changes, and from the records of what went live. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from nuages.app.components import App
from nuages.app.connections import budget
from nuages.app.objects import Object
from nuages.release.plan.shape import Action, Change, Connections, Part, Roll, Took
from nuages.release.record import Outcome, Stored
from nuages.render import autoscale

NUMBERS = frozenset({"RELEASE", "NUAGES_RELEASE"})
"""The variables that tell a pod its release: they differ whenever it rolls, and mean nothing."""

_BEFORE = re.compile(r"^spec\.template\.(?:spec\.(?:(?:initC|c)ontainers\[[^\]]*\]\.)?)?")
_VARIABLE = re.compile(r"\.env\[(?P<name>[^\]]+)\]")


def rolls(found: Iterable[tuple[Change, Object]]) -> list[Roll]:
    """The workloads whose pods are started anew; each change with the object that is wanted."""
    return [
        Roll(
            kind=change.kind,
            name=change.name,
            pods=autoscale.pods(wanted),
            why=tuple(dict.fromkeys(_why(change))),
        )
        for change, wanted in found
        if change.kind in ("Deployment", "StatefulSet") and (change.rolls or change.action is Action.CREATE)
    ]


def took(history: list[Stored], phases: Iterable[str]) -> list[Took]:
    """How long each phase took when it last had something to do: in a release in which the pods changed."""
    rolled = [
        stored.record
        for stored in history
        if stored.record.outcome is Outcome.LIVE and stored.record.template == stored.record.number
    ]
    found = []
    for name in phases:
        for record in rolled:
            passed = record.phase(name)
            if name == "services" and record.number == 1:
                continue  # it made the data stores, which a later one only waits for
            if passed and passed.ended:
                seconds = (passed.ended - passed.started).total_seconds()
                found.append(Took(phase=name, seconds=seconds, release=record.number))
                break
    return found


def connections(app: App, *, server: bool) -> Connections | None:
    """What is open at worst in the middle of the rollout; None where there is no database `server`."""
    if app.max_connections is None and not server:
        return None
    components = app.connected
    available = app.max_connections or 0
    needed = budget([one.connections for one in components], available, app.passing)
    return Connections(
        parts=tuple(Part(name=one.name, connections=one.connections) for one in components),
        beside=needed.beside,
        wanted=needed.wanted,
        available=needed.available if app.max_connections is not None else None,
    )


def _why(change: Change) -> Iterator[str]:
    """In words a developer uses: image, configuration, secrets; a field's own path for all else."""
    if change.action is Action.CREATE:
        yield "new"
    for field in change.fields:
        if not field.path.startswith("spec.template."):
            continue
        variable = _VARIABLE.search(field.path)
        if field.path.endswith(".image"):
            yield "image"
        elif field.path.endswith(".envFrom"):
            yield from _sources(field.before or "", field.after or "")
        elif variable is None:
            yield _BEFORE.sub("", field.path)
        elif variable["name"] not in NUMBERS:
            yield variable["name"]


def _sources(before: str, after: str) -> Iterator[str]:
    for kind, word in (("configMapRef", "configuration"), ("secretRef", "secrets")):
        names = re.compile(rf'"{kind}":{{"name":"([^"]*)"')
        if names.findall(before) != names.findall(after):
            yield word
