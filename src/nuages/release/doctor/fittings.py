"""What the cluster has for an environment: its namespace, volumes, a way in, metrics, kinds, the values of secrets."""

from __future__ import annotations

from collections.abc import AsyncIterator

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.checks.spec import not_built
from nuages.errors import ClusterError, Forbidden, Gone, NuagesError, Refused, Rejected
from nuages.kube.client import Cluster
from nuages.kube.kinds import KNOWN
from nuages.release import claims, records, secrets
from nuages.release.doctor import rights
from nuages.release.doctor.findings import Look, broken, of_error, of_finding, poor, unknown, works
from nuages.render.manifest import render
from nuages.render.release import Release

GROUP = "environment"
_DEFAULT = "storageclass.kubernetes.io/is-default-class"
_INSTALL = {
    "postgresql.cnpg.io": "install CloudNativePG: https://cloudnative-pg.io/docs",
    "keda.sh": "install KEDA: https://keda.sh/docs/latest/deploy/",
    "gateway.networking.k8s.io": "install the Gateway API and a controller: https://gateway-api.sigs.k8s.io/guides/",
    "cert-manager.io": "install cert-manager: https://cert-manager.io/docs/installation/",
    "monitoring.coreos.com": "install the Prometheus operator: https://prometheus-operator.dev/docs/",
}


async def look(app: App | None, namespace: str, cluster: Cluster, *, own: bool) -> AsyncIterator[Look]:
    """All of it, as far as we may look; `own` is whether it is a cluster of this machine."""
    yield await _namespace(app, namespace, cluster)
    yield await _storage(cluster)
    yield await metrics(app, namespace, cluster, own=own)
    if app is None:
        return
    async for found in _asked_for(app, cluster, own=own):
        yield found
    async for found in _kinds(app, cluster):
        yield found
    yield await _values(app, cluster)
    yield await _release(app, cluster)


async def _namespace(app: App | None, namespace: str, cluster: Cluster) -> Look:
    try:
        live = await cluster.get("Namespace", None, namespace)
    except Forbidden:
        return unknown(GROUP, "namespace", f"we may not look at {namespace} itself, and need not where it is there")
    if live is None:
        if app and await rights.may_make_namespaces(cluster):
            return works(GROUP, "namespace", f"{namespace} is made by the first deploy")
        cure = f"whoever may: kubectl create namespace {namespace}"
        return broken(GROUP, "namespace", f"{namespace} is not there, and we may not make it", cure)
    if live.get("status", {}).get("phase") == "Terminating":
        return broken(GROUP, "namespace", f"{namespace} is being deleted", "wait until it is gone")
    return works(GROUP, "namespace", namespace)


async def _storage(cluster: Cluster) -> Look:
    try:
        known = (await cluster.list("StorageClass")).items
    except Forbidden:
        return unknown(GROUP, "storage", "we may not look at storage classes")
    names = [item["metadata"]["name"] for item in known]
    default = [
        item["metadata"]["name"]
        for item in known
        if (item["metadata"].get("annotations") or {}).get(_DEFAULT) == "true"
    ]
    if default:
        return works(GROUP, "storage", f"{', '.join(default)} is the default class")
    if names:
        return poor(GROUP, "storage", f"none of {', '.join(names)} is the default class", "name one by storageClass")
    cure = "whoever runs the cluster installs one; for one of this machine: nuages cluster up"
    return poor(GROUP, "storage", "the cluster has no storage class: volumes are made by hand", cure)


async def metrics(app: App | None, namespace: str, cluster: Cluster, *, own: bool) -> Look:
    """Whether what pods use is measured: an autoscaler by CPU stands still without."""
    try:
        await cluster.list("PodMetrics", namespace)
    except Forbidden:
        return unknown(GROUP, "metrics", "we may not read what pods use")
    except ClusterError as error:
        local = "nuages cluster up --with metrics-server" if own else "install metrics-server"
        scaled = [one.key for one in app.web.values() if one.autoscale] if app else []
        make = broken if scaled else poor
        why = f"{', '.join(scaled)} is not scaled" if scaled else "nuages top and status show no use"
        known = isinstance(error, Gone | Rejected)
        said = "nobody measures what pods use" if known else "what measures pods does not answer"
        return make(GROUP, "metrics", f"{said}: {why}", local)
    return works(GROUP, "metrics", "what pods use is measured")


async def _asked_for(app: App, cluster: Cluster, *, own: bool) -> AsyncIterator[Look]:
    """Volumes, ways in, certificates, classes: what a deploy would ask too."""
    found = await claims.look(app, cluster, not_built(app.image))
    # What a cluster of this machine lacks is added to it by a deploy.
    for one in found:
        missing_door = own and app.expose is not None and one.place.path in ("expose.class", "expose.tls.issuer")
        yield (
            works(GROUP, "way in", f"{one.message}; a deploy adds it here")
            if missing_door
            else of_finding(GROUP, "asked for", one)
        )
    if app.expose and not found:
        yield works(GROUP, "way in", _way(app))


def _way(app: App) -> str:
    if app.expose is None:
        return "none"
    hosts = ", ".join(app.expose.hosts) or "any name"
    return f"{app.expose.kind} {app.expose.class_ or ''}".strip() + f" for {hosts}"


async def _kinds(app: App, cluster: Cluster) -> AsyncIterator[Look]:
    """Kinds that a cluster has only where somebody installed them."""
    release = Release(number=1, template=1, build=not_built(app.image))
    objects: list[Object] = render(app, release).objects
    wanted = {item["kind"]: item["apiVersion"] for item in objects if _added(item)}
    for kind, version in sorted(wanted.items()):
        group = version.partition("/")[0]
        try:
            await cluster.list(kind, app.namespace)
        except (Gone, Rejected):
            cure = _INSTALL.get(group, "install what its custom resource definition belongs to")
            yield broken(GROUP, kind, f"the cluster knows no {kind} of {version}", cure)
        except Forbidden:
            yield unknown(GROUP, kind, "we may not look")
        else:
            yield works(GROUP, kind, f"{version} is known")


def _added(item: Object) -> bool:
    group = str(item["apiVersion"]).rpartition("/")[0]
    return "." in group and not (group.endswith(".k8s.io") and item["kind"] in KNOWN and "gateway" not in group)


async def _values(app: App, cluster: Cluster) -> Look:
    """Whether every secret has its value, or will be given one."""
    try:
        await secrets.check(app, cluster)
    except Refused as refused:
        names = "; ".join(finding.message for finding in refused.findings)
        hint = next((finding.hint for finding in refused.findings if finding.hint), "nuages secrets list")
        return broken(GROUP, "secrets", names or refused.message, hint)
    except NuagesError as error:
        return of_error(GROUP, "secrets", error)
    return works(GROUP, "secrets", f"{len(app.secrets)} declared, none lacks its value")


async def _release(app: App, cluster: Cluster) -> Look:
    """What serves; a record that a newer nuages wrote is no mistake of anybody's, and cannot be read."""
    try:
        history = await records.history(cluster, app.namespace, app.name, app.environment)
    except NuagesError as error:
        return of_error(GROUP, "releases", error)
    serving = records.live(history)
    if serving is None:
        return poor(GROUP, "releases", "none is live yet", f"nuages deploy -e {app.environment}")
    return works(GROUP, "releases", f"release {serving.record.number} is live")
