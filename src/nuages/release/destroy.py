"""Taking an environment away: what can be made again goes at once, data only where it is named."""

from __future__ import annotations

import contextlib

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.errors import Forbidden, Gone, Refused, Rejected
from nuages.kube.client import Cluster
from nuages.kube.watch import Mirror
from nuages.progress import Said, Sink, Step, step
from nuages.release.locks import lock
from nuages.release.ownership import holds_data
from nuages.render.labels import COMPONENT, KEEPER, instance, owned
from nuages.render.manifest import namespace as rendered_namespace

REMOVED = (
    "HTTPRoute",
    "Ingress",
    "Service",
    "CronJob",
    "ScaledObject",
    "TriggerAuthentication",
    "HorizontalPodAutoscaler",
    "Deployment",
    "StatefulSet",
    "Job",
    "Pod",
    "PodDisruptionBudget",
    "NetworkPolicy",
    "ConfigMap",
    "Secret",
    "PersistentVolumeClaim",
    "RoleBinding",
    "Role",
    "ResourceQuota",
    "LimitRange",
    "ServiceAccount",
)
"""The kinds that a release makes, in the order in which they go: first the way in, last what others stand on."""


OPERATED = ("ScheduledBackup", "Cluster")
"""What an operator runs PostgreSQL by: with its Cluster go the volumes, so it is data."""

EXTENSIONS = frozenset(
    {
        *OPERATED,
        "HTTPRoute",
        "ScaledObject",
        "TriggerAuthentication",
        "Role",
        "RoleBinding",
        "ResourceQuota",
        "LimitRange",
    }
)
"""Those that not every cluster knows (the Gateway API, KEDA), and those that not everybody who deploys may look at."""

OTHERS = (*REMOVED, "DaemonSet")
"""The kinds by which a namespace is known to be used by somebody else as well."""


async def contents(app: App, cluster: Cluster) -> tuple[list[Object], list[Object]]:
    """What there is of the environment: what can be made again, and what holds data."""
    found = [item for kind in REMOVED for item in await _listed(kind, app.namespace, owned(app), cluster)]
    # A pod that belongs to something goes with it; one of `nuages run` belongs to nothing.
    found = [item for item in found if item["kind"] != "Pod" or not item["metadata"].get("ownerReferences")]
    data = [item for item in found if item["kind"] in {"Secret", "PersistentVolumeClaim"} and holds_data(item)]
    # What ends an environment when its time is over stays as long as there is data to end.
    data += [item for item in found if item["metadata"]["labels"].get(COMPONENT) == KEEPER]
    # What an operator runs has pods and volumes that are the operator's to remove.
    data += [item for kind in OPERATED for item in await _listed(kind, app.namespace, owned(app), cluster)]
    return [item for item in found if item not in data], data


async def destroy(app: App, cluster: Cluster, sink: Sink, *, data: bool) -> None:
    """Remove an environment: all that runs, data stores too; with `data` also volumes, generated secrets, namespace.

    The namespace goes only where nuages made it for this environment, and nothing of anybody else is in it.

    Raises:
        Refused: there is nothing of it in this namespace.
        Locked: a release is under way.
    """
    remade, kept = await contents(app, cluster)
    if not remade and not kept:
        raise Refused(f"there is no {app.name} in namespace {app.namespace}", hint="see nuages status")
    async with lock.held(cluster, app.namespace, lock.name(app.name), waiting=lambda line: sink(Said(line))) as held:
        # The release that we may have waited for has made more, or pruned some.
        remade, kept = await contents(app, cluster)
        for title, items in (("objects", remade), ("data", kept if data else [])):
            if items:
                await held.check()
                await _remove(title, items, cluster, sink)
        with step(sink, "wait for pods to end") as shown:
            await _ended(app, cluster, shown)
        # Who has rights in the namespace only did not make it.
        with contextlib.suppress(Forbidden):
            if data and (namespace := await _own_namespace(app, cluster)):
                await _remove("namespace", [namespace], cluster, sink)
        # While it is ours: once it is given back, the next release may hold it.
        await cluster.delete("Lease", app.namespace, lock.name(app.name))


async def _own_namespace(app: App, cluster: Cluster) -> Object | None:
    """The namespace where it was made for this environment alone; None where others use it, or made it."""
    namespace = await cluster.get("Namespace", None, app.namespace)
    if namespace is None or not _labelled(namespace, rendered_namespace(app)["metadata"]["labels"]):
        return None
    for kind in OTHERS:
        for item in await _listed(kind, app.namespace, {}, cluster):
            if _of_every_namespace(item) or _issued(app, item) or _operated(app, item):
                continue
            if not _labelled(item, owned(app)):
                return None
    return namespace


def _of_every_namespace(item: Object) -> bool:
    """Kubernetes puts these two into each namespace."""
    return (item["kind"], item["metadata"]["name"]) in {
        ("ConfigMap", "kube-root-ca.crt"),
        ("ServiceAccount", "default"),
    }


def _issued(app: App, item: Object) -> bool:
    """Whether it is the certificate that was issued for this environment; cert-manager leaves it when all else goes."""
    about = item["metadata"]
    named = (about.get("annotations") or {}).get("cert-manager.io/certificate-name")
    return bool(item["kind"] == "Secret" and about["name"] == f"{app.name}-tls" == named)


def _operated(app: App, item: Object) -> bool:
    """Whether its operator made it for this environment's PostgreSQL, with which it goes."""
    labels = item["metadata"].get("labels") or {}
    return bool(app.cloudnativepg and labels.get("cnpg.io/cluster") == app.cloudnativepg.name)


def _labelled(item: Object, labels: dict[str, str]) -> bool:
    return labels.items() <= (item["metadata"].get("labels") or {}).items()


async def _listed(kind: str, namespace: str, labels: dict[str, str], cluster: Cluster) -> list[Object]:
    """All objects of a kind; of an extension none where the cluster lacks it, or we may not even look: we made none."""
    try:
        return (await cluster.list(kind, namespace, labels=labels)).items
    except (Gone, Forbidden, Rejected):
        if kind in EXTENSIONS:
            return []
        raise


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
    async with Mirror(cluster, app.namespace, ("Pod",), instance(app)) as mirror:
        while pods := mirror.items("Pod"):
            seen = mirror.version
            shown.say(f"{len(pods)} pods left")
            await mirror.changed(since=seen)
