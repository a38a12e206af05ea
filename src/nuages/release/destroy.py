"""Taking an environment away: what can be made again goes at once, data only where it is named."""

from __future__ import annotations

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.errors import Refused
from nuages.kube.client import Cluster
from nuages.kube.watch import Mirror
from nuages.progress import Said, Sink, Step, step
from nuages.release import lock
from nuages.release.ownership import holds_data

REMOVED = (
    "Ingress",
    "Service",
    "Deployment",
    "StatefulSet",
    "Job",
    "PodDisruptionBudget",
    "NetworkPolicy",
    "ConfigMap",
    "Secret",
    "PersistentVolumeClaim",
    "ServiceAccount",
)
"""The kinds that a release makes, in the order in which they go: first the way in, last what others stand on."""


async def contents(app: App, cluster: Cluster) -> tuple[list[Object], list[Object]]:
    """What there is of the environment: what can be made again, and what holds data."""
    ours = {"app.kubernetes.io/instance": app.instance, "app.kubernetes.io/managed-by": "nuages"}
    found = [item for kind in REMOVED for item in (await cluster.list(kind, app.namespace, labels=ours)).items]
    claims = (
        await cluster.list("PersistentVolumeClaim", app.namespace, labels={"app.kubernetes.io/instance": app.instance})
    ).items
    data = [item for item in found if item["kind"] == "Secret" and holds_data(item)]
    return [item for item in found if item not in data and item["kind"] != "PersistentVolumeClaim"], [*data, *claims]


async def destroy(app: App, cluster: Cluster, sink: Sink, *, data: bool) -> None:
    """Remove an environment: all that runs, data stores too; with `data` also volumes, generated secrets, namespace.

    The namespace goes only where nuages made it.

    Raises:
        Refused: there is nothing of it in this namespace.
        Locked: a release is under way.
    """
    remade, kept = await contents(app, cluster)
    if not remade and not kept:
        raise Refused(f"there is no {app.name} in namespace {app.namespace}", hint="see nuages status")
    async with lock.held(cluster, app.namespace, lock.name(app.name), waiting=lambda line: sink(Said(line))):
        for title, items in (("objects", remade), ("data", kept if data else [])):
            if items:
                await _remove(title, items, cluster, sink)
        with step(sink, "wait for pods to end") as shown:
            await _ended(app, cluster, shown)
    await cluster.delete("Lease", app.namespace, lock.name(app.name))
    namespace = await cluster.get("Namespace", None, app.namespace) if data else None
    if namespace and namespace["metadata"].get("labels", {}).get("app.kubernetes.io/managed-by") == "nuages":
        await _remove("namespace", [namespace], cluster, sink)


async def _remove(title: str, items: list[Object], cluster: Cluster, sink: Sink) -> None:
    """Delete objects, each by its uid: one of that name that is made meanwhile is another one."""
    with step(sink, f"remove {title}") as shown:
        for item in items:
            metadata = item["metadata"]
            shown.say(f"{item['kind']}/{metadata['name']}")
            await cluster.delete(item["kind"], metadata.get("namespace"), metadata["name"], uid=metadata["uid"])
        shown.note = f"{len(items)} removed"


async def _ended(app: App, cluster: Cluster, shown: Step) -> None:
    """Wait until no pod is left: each ends in its own grace period, and a volume is free only afterwards."""
    async with Mirror(cluster, app.namespace, ("Pod",), {"app.kubernetes.io/instance": app.instance}) as mirror:
        while pods := mirror.items("Pod"):
            seen = mirror.version
            shown.say(f"{len(pods)} pods left")
            await mirror.changed(since=seen)
