"""What a release takes for granted of a cluster that is shared: asked before anything is built or touched.

A name that another app answers to, a port of the nodes, a class of ingress or volume, a Gateway, an issuer, a
certificate: each would be found out after the rollout otherwise, by nobody being reached. Where there is no right to
look, nothing is said.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable

from nuages.app.build import Build
from nuages.app.components import App
from nuages.app.objects import Object
from nuages.errors import Forbidden, Gone, Refused, Rejected
from nuages.findings import Finding, Level, Place, errors
from nuages.kube.client import Cluster
from nuages.release import claimed, listening, places
from nuages.render.cloudnativepg import CLUSTER
from nuages.render.exposure import exposure
from nuages.render.manifest import render
from nuages.render.release import Release


async def check(app: App, cluster: Cluster, build: Build | None = None) -> list[Finding]:
    """All that stands in the way is refused; answers what is only worth saying.

    Without a build, as before one is made, only the ways in are looked at.

    Raises:
        Refused: with all findings.
    """
    found = await look(app, cluster, build)
    if errors(found):
        raise Refused(f"{app.name} can't have what it asks of the cluster; nothing was touched", findings=found)
    return found


async def look(app: App, cluster: Cluster, build: Build | None = None) -> list[Finding]:
    """Every finding; nothing is changed."""
    objects = render(app, Release(number=1, template=1, build=build)).objects if build else exposure(app)
    ways = [item for item in objects if item["kind"] in ("Ingress", "HTTPRoute")]
    ports = [item for item in objects if item["kind"] == "Service" and _node_ports(item)]
    asked: list[Coroutine[None, None, list[Finding]]] = [
        *(claimed.hosts(app, cluster, way) for way in ways),
        *(claimed.ports(app, cluster, service) for service in ports),
        *(listening.ingress_class(app, cluster) for way in ways[:1] if way["kind"] == "Ingress"),
        *(listening.gateway(app, cluster) for way in ways[:1] if way["kind"] == "HTTPRoute"),
        listening.issuer(app, cluster),
        listening.certificate(app, cluster),
        _volumes(app, cluster, objects),
        places.priority(app, cluster),
        _operator(app, cluster),
    ]
    answers = await asyncio.gather(*(_as_far_as_we_may(one) for one in asked))
    return [finding for each in answers for finding in each]


async def _as_far_as_we_may(asked: Coroutine[None, None, list[Finding]]) -> list[Finding]:
    try:
        return await asked
    except Forbidden:
        return []


async def _operator(app: App, cluster: Cluster) -> list[Finding]:
    """Who would run PostgreSQL has to be there: only its own kinds tell that it was installed. And nobody else may run
    one for this app already: what is made begins empty, and would be served from.
    """
    if app.cloudnativepg is None:
        return []
    place = Place(path="services.postgres.cloudnativepg")
    try:
        begun = {each["metadata"]["name"] for each in (await cluster.list(CLUSTER, app.namespace)).items}
    except (Gone, Rejected):
        said = "the cluster has no CloudNativePG: it knows no Cluster of postgresql.cnpg.io"
        hint = "whoever runs the cluster installs its operator, https://cloudnative-pg.io/docs; or run: {}, or external"
        return [Finding("release.E385", Level.ERROR, said, place, hint)]
    before = f"{app.name}-postgres"
    if app.cloudnativepg.name not in begun and await cluster.get("StatefulSet", app.namespace, before):
        said = f"PostgreSQL runs in StatefulSet {before}; CloudNativePG's begins empty, and would be served from"
        hint = (
            f"nuages maintenance on, nuages backup, and kubectl delete statefulset {before} (its volume stays); "
            "deploy, and load the dump before the page goes"
        )
        return [Finding("release.E395", Level.ERROR, said, place, hint)]
    return []


def _node_ports(service: Object) -> list[int]:
    return [port["nodePort"] for port in service["spec"].get("ports", []) if "nodePort" in port]


async def _volumes(app: App, cluster: Cluster, objects: Iterable[Object]) -> list[Finding]:
    """Volumes that are still to be made need a class that makes them; those that are there have one."""
    wanted = {name: spec for item in objects for name, spec in _claims(item)}
    if not wanted:
        return []
    lives = await asyncio.gather(*(cluster.get("PersistentVolumeClaim", app.namespace, name) for name in wanted))
    new = {name: wanted[name].get("storageClassName") for name, live in zip(wanted, lives, strict=True) if not live}
    if not new:
        return []
    known = (await cluster.list("StorageClass")).items
    names = sorted(item["metadata"]["name"] for item in known)
    found = [
        Finding(
            "release.E402",
            Level.ERROR,
            f"the cluster has no storage class {wants}",
            Place(path=f"PersistentVolumeClaim/{name}"),
            f"storageClass: {' or '.join(names)}" if names else "whoever runs the cluster installs one",
        )
        for name, wants in new.items()
        if wants and wants not in names
    ]
    unsaid = [name for name, wants in new.items() if wants is None]
    if unsaid and not any(_is_default(item) for item in known):
        message = "no storage class is the default one: a volume has to be there already, or its pods wait for ever"
        hint = f"storageClass: {' or '.join(names)}" if names else "whoever runs the cluster installs one"
        found.append(
            Finding("release.W403", Level.WARNING, message, Place(path=f"PersistentVolumeClaim/{unsaid[0]}"), hint)
        )
    return found


def _claims(item: Object) -> list[tuple[str, Object]]:
    """The volume claims that an object is, or makes; names are the claims' own."""
    if item["kind"] == "PersistentVolumeClaim":
        return [(item["metadata"]["name"], item["spec"])]
    if item["kind"] == "StatefulSet":
        name = item["metadata"]["name"]
        return [
            (f"{one['metadata']['name']}-{name}-0", one["spec"]) for one in item["spec"].get("volumeClaimTemplates", [])
        ]
    return []


def _is_default(storage: Object) -> bool:
    marks = storage["metadata"].get("annotations") or {}
    return marks.get("storageclass.kubernetes.io/is-default-class") == "true"
