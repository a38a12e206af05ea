"""What a word on the command line means: a component (`web`, `web-main`, `main`, `postgres`), or one pod."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence
from typing import NamedTuple

from nuages.app import stores
from nuages.app.components import App
from nuages.app.objects import Object
from nuages.errors import CommandFailed, UsageError
from nuages.kube.client import Cluster
from nuages.render.labels import BEAT, COMPONENT, FRONTEND, KEY, STATIC, WEB, WORKER, instance

SERVING = frozenset({WEB, WORKER, BEAT, FRONTEND, STATIC})
"""The components of a release: what the app is, beside its data stores."""

DEFAULT = "kubectl.kubernetes.io/default-container"


class Part(NamedTuple):
    """One component of an app."""

    component: str
    key: str
    """Which of several; empty where there is one."""

    def __str__(self) -> str:
        return f"{self.component}-{self.key}" if self.key else self.component


def parts(app: App) -> list[Part]:
    """All components that have pods of their own, those of a release first."""
    several = ((WORKER, list(app.workers)), (WEB, list(app.web)), (FRONTEND, list(app.frontends)))
    found = [Part(component, key) for component, keys in several for key in keys]
    found += [Part(BEAT, "")] if app.beat else []
    found += [Part(STATIC, "")] if app.static.nginx else []
    return [*found, *(Part(name, "") for name in stores.running(app))]


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
    raise UsageError(f"{app.name} has no component {asked}", hint=_hint(asked, _names(known), "there are"))


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
    named = [item for item in pods if item["metadata"]["name"] in (asked, f"{app.name}-{asked}")]
    wanted = _called(parts(app), asked.removeprefix(f"{app.name}-"))
    if not named and not wanted:
        known = [*_names(parts(app)), *(item["metadata"]["name"] for item in pods)]
        raise UsageError(f"{app.name} has no component and no pod {asked}", hint=_hint(asked, known, "there are"))
    found = named or [item for item in pods if of(item) in wanted]
    running = sorted((item for item in found if runs(item)), key=lambda item: (not ready(item), _since(item)))
    if not running:
        raise CommandFailed(f"no pod of {asked} runs in {app.namespace}", hint="nuages status says why")
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


def _called(wanted: Sequence[Part], name: str) -> list[Part]:
    exact = [part for part in wanted if name == str(part)]
    return exact or [part for part in wanted if name == part.component] or [p for p in wanted if name == p.key]


def _names(wanted: Sequence[Part]) -> list[str]:
    return list(dict.fromkeys(name for part in wanted for name in (part.component, str(part))))


def _hint(asked: str, known: Sequence[str], there: str) -> str:
    close = difflib.get_close_matches(asked, known, n=1)
    return f"did you mean {close[0]}?" if close else f"{there} {', '.join(known)}" if known else ""


def _since(item: Object) -> str:
    return str(item["metadata"].get("creationTimestamp", ""))
