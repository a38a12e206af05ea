"""Whose things are: a release touches only what is ours, in a namespace that may be somebody else's."""

from __future__ import annotations

import asyncio

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.errors import Forbidden, NotOurs, Refused
from nuages.findings import Finding, Level, Place
from nuages.kube.client import Cluster
from nuages.release import standing
from nuages.render.labels import DATA, MANAGER
from nuages.render.manifest import namespace as rendered_namespace
from nuages.render.release import Manifest

TRACKED_BY = {
    "argocd.argoproj.io/tracking-id": "Argo CD",
    "meta.helm.sh/release-name": "Helm",
    "kustomize.toolkit.fluxcd.io/name": "Flux",
    "helm.toolkit.fluxcd.io/name": "Flux",
}
"""Labels and annotations by which other tools know what is theirs."""

BY_HAND = "release.E311"
"""The finding of an object that no tool is known to keep."""

FOREIGN = frozenset({"release.E310", BY_HAND, "release.E312"})
"""The findings of objects that are somebody else's."""


async def namespace(app: App, cluster: Cluster) -> None:
    """Make the environment's namespace where it is missing; one that is there is left as it is.

    Raises:
        Forbidden: it is missing and we may not make it.
    """
    try:
        missing = await cluster.get("Namespace", None, app.namespace) is None
    except Forbidden:
        # Rights inside a namespace that others made are enough; whether it is there shows with the lock's request.
        return
    if missing:
        await cluster.apply(rendered_namespace(app))


async def objects(app: App, manifest: Manifest, cluster: Cluster) -> None:
    """Make sure that no object in the way belongs to somebody else, or can't become what is wanted.

    Raises:
        NotOurs: some do; all of them are named.
        Refused: some can't.
    """
    wanted = [item for item in manifest.objects if item["kind"] != "Namespace"]
    live = await asyncio.gather(
        *(cluster.get(item["kind"], app.namespace, item["metadata"]["name"]) for item in wanted)
    )
    foreign = [finding for item in live if item and (finding := verdict(app.instance, item))]
    if foreign:
        raise NotOurs(
            f"{len(foreign)} objects in namespace {app.namespace} belong to somebody else; nothing was touched",
            findings=foreign,
            hint="one object has one owner: choose another namespace, or remove them there",
        )
    stuck = [finding for one, has in zip(wanted, live, strict=True) if has for finding in standing.verdict(one, has)]
    if stuck:
        raise Refused("what stands can't become what is wanted; nothing was touched", findings=stuck)


def verdict(instance: str, live: Object) -> Finding | None:
    """Whose an object is; None where it is ours."""
    metadata = live["metadata"]
    labels = metadata.get("labels") or {}
    marks = labels | (metadata.get("annotations") or {})
    place = Place(path=f"{live['kind']}/{metadata['name']}")
    for mark, tool in TRACKED_BY.items():
        if mark in marks:
            return Finding("release.E310", Level.ERROR, f"is tracked by {tool} ({mark}: {marks[mark]})", place)
    if labels.get("app.kubernetes.io/managed-by") != MANAGER:
        return Finding(BY_HAND, Level.ERROR, "was not made by nuages", place)
    if labels.get("app.kubernetes.io/instance") != instance:
        other = labels.get("app.kubernetes.io/instance", "another app")
        return Finding("release.E312", Level.ERROR, f"belongs to {other}", place)
    return None


def holds_data(live: Object) -> bool:
    """Whether an object is never pruned: a volume, or what is marked so (generated secrets)."""
    annotations = live["metadata"].get("annotations") or {}
    return live["kind"] == "PersistentVolumeClaim" or annotations.get(DATA) == "true"
