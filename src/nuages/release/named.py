"""What a word on the command line means: a component (`web`, `web-main`, `main`, `postgres`), or one pod.

Quick to import, and by names alone where those are at hand: commands that look at what runs need no spec
(cli/recalled.py).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from nuages.app.objects import Object
from nuages.errors import CommandFailed, UsageError
from nuages.render.labels import (
    BACKUP,
    BEAT,
    COMPONENT,
    FRONTEND,
    JOB,
    KEY,
    MIGRATE,
    RUN,
    SCHEDULE,
    STATIC,
    WEB,
    WORKER,
    instance,
)

if TYPE_CHECKING:
    from nuages.app.components import App
    from nuages.kube.client import Cluster

SERVING = frozenset({WEB, WORKER, BEAT, FRONTEND, STATIC})
"""The components of a release: what the app is, beside its data stores."""

OWN = (WEB, WORKER, BEAT)
"""What is meant where nothing is said: the app's own code that goes on running."""

DEFAULT = "kubectl.kubernetes.io/default-container"


class Part(NamedTuple):
    """One component of an app."""

    component: str
    key: str
    """Which of several; empty where there is one."""

    def __str__(self) -> str:
        return f"{self.component}-{self.key}" if self.key else self.component


Names = Mapping[str, Iterable[tuple[str, str]]]
"""What can be written, and the components and keys that it stands for; the key "" is every one."""

Chosen = Callable[[str, str, str], bool]
"""Component, key and name of a pod -> whether it is meant."""


def parts(app: App) -> list[Part]:
    """All components that have pods of their own for as long as the app runs, those of a release first."""
    from nuages.app import stores  # noqa: PLC0415 - who has the names at hand needs nothing of it

    several = ((WORKER, list(app.workers)), (WEB, list(app.web)), (FRONTEND, list(app.frontends)))
    found = [Part(component, key) for component, keys in several for key in keys]
    found += [Part(BEAT, "")] if app.beat else []
    found += [Part(STATIC, "")] if app.static.nginx else []
    return [*found, *(Part(name, "") for name in stores.running(app))]


def names_of(app: App) -> dict[str, set[tuple[str, str]]]:
    """All that can be written of an app by who only looks: what runs once is part of it."""
    once = [*(Part(SCHEDULE, key) for key in app.schedules), *(Part(JOB, key) for key in app.jobs)]
    found = names([*parts(app), *once])
    for ours in (MIGRATE, RUN, BACKUP):  # a schedule may be called `backup`: then both are meant
        found.setdefault(ours, set()).add((ours, ""))
    return found


def names(known: Iterable[Part]) -> dict[str, set[tuple[str, str]]]:
    """What can be written of some components: `web-main`, `web` for all webs, `main`; the first of these that fits."""
    known = list(known)
    exact = [(str(part), part) for part in known]
    kinds = [(part.component, Part(part.component, "")) for part in known]
    keys = [(part.key, part) for part in known if part.key]
    found: dict[str, set[tuple[str, str]]] = {}
    for way in (exact, kinds, keys):
        taken = set(found)
        for name, part in way:
            if name not in taken:
                found.setdefault(name, set()).add(part)
    return found


def meant(app: App, asked: str, *, among: Collection[str] = ()) -> list[Part]:
    """The components of a name; several where it is the name of a kind of which there are several.

    Raises:
        UsageError: the app has none of that name.
    """
    return one_of(app, asked, [part for part in parts(app) if not among or part.component in among])


def one_of(app: App, asked: str, known: Sequence[Part]) -> list[Part]:
    """As `meant`, of these components."""
    if found := _called(known, asked.removeprefix(f"{app.name}-")):
        return found
    raise UsageError(f"{app.name} has no component {asked}", hint=_hint(asked, names(known)))


def chooser(app: App, asked: Iterable[str], default: Iterable[str] = OWN) -> Chosen:
    """The pods of some names, also of one that the app has no more; by no name, those of what `default` names.

    Raises:
        UsageError: the app has no component of that name.
    """
    return choosing(app.name, names_of(app), asked, default)


def choosing(app: str, known: Names, asked: Iterable[str], default: Iterable[str] = OWN) -> Chosen:
    """As `chooser`, by the names alone."""
    meant: set[tuple[str, str]] = set()
    pods: set[str] = set()
    for word in asked:
        name = word.removeprefix(f"{app}-")
        if name in known:
            meant.update(known[name])
        elif any(name.startswith(f"{one}-") for one in known):
            pods.add(f"{app}-{name}")  # whether there is one, its cluster tells
        else:
            raise UsageError(f"{app} has no component {word}", hint=_hint(name, known))
    if not meant and not pods:
        meant = {(component, "") for component in default}

    def chosen(component: str, key: str, pod: str) -> bool:
        return bool(meant & {(component, ""), (component, key)}) or pod in pods

    return chosen


async def pod(app: App, asked: str, cluster: Cluster) -> Object:
    """The pod that is meant: by its name, or of a component the one that has been ready for longest.

    Raises:
        UsageError: no component and no pod has that name.
        CommandFailed: none of its pods runs.
    """
    pods = (await cluster.list("Pod", app.namespace, labels=instance(app))).items
    return choose(app, asked, pods)


def choose(app: App, asked: str, pods: Sequence[Object]) -> Object:
    """As `pod`, of the app's pods as they are."""
    return choosing_one(app.name, app.namespace, parts(app), asked, pods)


def choosing_one(app: str, namespace: str, known: Sequence[Part], asked: str, pods: Sequence[Object]) -> Object:
    """As `choose`, by the names alone."""
    exact = [item for item in pods if item["metadata"]["name"] in (asked, f"{app}-{asked}")]
    wanted = _called(known, asked.removeprefix(f"{app}-"))
    if not exact and not wanted:
        there = [*names(known), *(item["metadata"]["name"] for item in pods)]
        raise UsageError(f"{app} has no component and no pod {asked}", hint=_hint(asked, there))
    found = exact or [item for item in pods if of(item) in wanted]
    running = sorted((item for item in found if runs(item)), key=lambda item: (not ready(item), _since(item)))
    if not running:
        raise CommandFailed(f"no pod of {asked} runs in {namespace}", hint="nuages status says why")
    return running[0]


def of(item: Object) -> Part:
    """The component that a pod, or a workload, belongs to."""
    labels = item["metadata"].get("labels") or {}
    component = labels.get(COMPONENT, "")
    return Part(component, labels.get(KEY, "") if component in (WORKER, WEB, FRONTEND) else "")


def container(item: Object) -> str:
    """The container of a pod in which its work is done."""
    about, containers = item["metadata"], item["spec"]["containers"]
    return str((about.get("annotations") or {}).get(DEFAULT) or containers[0]["name"])


def ready(item: Object) -> bool:
    """Whether a pod is ready, and not on its way out."""
    conditions = item.get("status", {}).get("conditions") or []
    return runs(item) and any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def runs(item: Object) -> bool:
    """Whether a pod's containers run, and it is not on its way out."""
    return item.get("status", {}).get("phase") == "Running" and not item["metadata"].get("deletionTimestamp")


def _called(known: Sequence[Part], name: str) -> list[Part]:
    found = names(known).get(name, set())
    return [part for part in known if found & {part, (part.component, "")}]


def _hint(asked: str, known: Iterable[str]) -> str:
    import difflib  # noqa: PLC0415 - only for what is typed wrong

    there = list(known)
    close = difflib.get_close_matches(asked, there, n=1)
    return f"did you mean {close[0]}?" if close else f"there are {', '.join(there)}" if there else ""


def _since(item: Object) -> str:
    return str(item["metadata"].get("creationTimestamp", ""))
