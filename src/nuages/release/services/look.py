"""What there is of data stores, and what would become of each; nothing is changed by it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import msgspec

from nuages.app import stores
from nuages.app.components import App
from nuages.app.objects import Object
from nuages.errors import Forbidden, Gone, Rejected
from nuages.findings import Finding, Level, Place
from nuages.kube.client import MANAGER, Cluster
from nuages.kube.failures import FieldConflict
from nuages.release import ownership, redact
from nuages.release.plan.fields import changed, shown
from nuages.release.services import operated
from nuages.release.services.change import Store, Way, claimed, image, size, stuck, way
from nuages.release.services.volumes import placed
from nuages.render.cloudnativepg import CLUSTER
from nuages.render.exporter import name as exporter
from nuages.render.labels import COMPONENT, EXPORTER, KEY, PGBOUNCER, POSTGRES, owned, selector
from nuages.render.manifest import services

WORKLOADS = ("StatefulSet", "Deployment")


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One data store of the app, as it is now."""

    service: str
    where: str
    """`cluster`, or `external`."""
    address: str
    """host:port."""
    image: str = ""
    """Of what runs; "" where it is external, or not there yet."""
    ready: bool | None = None
    """Whether it answers; None where nobody here can tell."""
    storage: str = ""
    """The size of its volume; "" where nothing is kept."""
    tls: str = ""
    """Of an external one: disable, require or verify-full."""


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """What the spec runs no more, and nothing removes by itself."""

    service: str
    kind: str
    name: str


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """What `nuages services --json` prints; it only grows under one `schema`."""

    schema: int = 1
    app: str
    environment: str
    namespace: str
    services: list[Entry]
    left: list[Left]


async def listing(app: App, cluster: Cluster) -> Listing:
    """Every store that the spec has, and what is left of those that it had."""
    return Listing(
        app=app.name,
        environment=app.environment,
        namespace=app.namespace,
        services=list(await asyncio.gather(*(_entry(app, name, cluster) for name in stores.declared(app)))),
        left=await left(app, cluster),
    )


async def left(app: App, cluster: Cluster) -> list[Left]:
    """Workloads, volumes and Secrets of stores that the spec does not run (any more)."""
    running = stores.running(app)
    found = [*await _outgrown(app, cluster), *await _operated(app, cluster)]
    for kind in (*WORKLOADS, "Service", "PersistentVolumeClaim", "Secret"):
        for item in (await cluster.list(kind, app.namespace, labels=owned(app))).items:
            about = item["metadata"]
            service = about["labels"].get(COMPONENT, "")
            if kind == "Secret":  # those of stores are told by their names
                service = about["name"].removeprefix(f"{app.name}-")
            gone = service == PGBOUNCER and app.pgbouncer is None
            gone = gone or (service == EXPORTER and about["labels"].get(KEY, "") not in {"", *stores.exported(app)})
            if gone or (service in stores.SERVICES and service not in running):
                found.append(Left(service=service, kind=kind, name=about["name"]))
    return found


async def _operated(app: App, cluster: Cluster) -> list[Left]:
    """What an operator runs for it, and the spec has no more."""
    try:
        clusters = (await cluster.list(CLUSTER, app.namespace, labels=owned(app))).items
    except (Forbidden, Gone, Rejected):
        return []  # there is no such operator, or it is not for us to see
    names = [item["metadata"]["name"] for item in clusters]
    kept = app.cloudnativepg.name if app.cloudnativepg else ""
    return [Left(service=POSTGRES, kind=CLUSTER, name=name) for name in names if name != kept]


async def _outgrown(app: App, cluster: Cluster) -> list[Left]:
    """The volume that PostgreSQL had before an upgrade took it to another one."""
    live = await cluster.get("StatefulSet", app.namespace, app.postgres.name) if app.postgres else None
    if live is None or not size(live):
        return []
    claims = (await cluster.list("PersistentVolumeClaim", app.namespace, labels=selector(app, POSTGRES))).items
    names = [item["metadata"]["name"] for item in claims]
    return [Left(service=POSTGRES, kind="PersistentVolumeClaim", name=one) for one in names if one != claimed(live)]


async def look(app: App, cluster: Cluster) -> list[Store]:
    """What would become of each store that runs in the cluster."""
    workloads = {item["metadata"]["name"]: item for item in services(app) if item["kind"] in WORKLOADS}
    names = {store.name: service for service, store in stores.running(app).items()}
    names |= {app.pgbouncer.name: PGBOUNCER} if app.pgbouncer else {}
    names |= {exporter(app, service): f"{service}-exporter" for service in stores.exported(app)}
    ours = [await _look(app, names[name], wanted, cluster) for name, wanted in workloads.items() if name in names]
    return [*await operated.look(app, cluster), *ours]


def fitting(wanted: Object, live: Object) -> Object:
    """The store as it can be applied over the one that is there: with the claims that it was made with."""
    if wanted["kind"] != "StatefulSet":
        return wanted
    claims = live["spec"].get("volumeClaimTemplates")
    spec = {key: value for key, value in wanted["spec"].items() if key != "volumeClaimTemplates"}
    made = [] if not claims else _declared(wanted["spec"].get("volumeClaimTemplates") or [], size(live))
    return {**wanted, "spec": {**spec, **({"volumeClaimTemplates": made} if made else {})}}


def _declared(claims: list[Object], storage: str) -> list[Object]:
    """The claims as they are rendered, of the size that they were made with."""
    return [{**claim, "spec": {**claim["spec"], "resources": {"requests": {"storage": storage}}}} for claim in claims]


async def _look(app: App, service: str, wanted: Object, cluster: Cluster) -> Store:
    kind, name = wanted["kind"], wanted["metadata"]["name"]
    live = await cluster.get(kind, app.namespace, name)
    wanted = await placed(wanted, live, cluster)
    if live is None:
        # Whoever grew its volume may have been stopped while the set was away.
        there = await cluster.get("PersistentVolumeClaim", app.namespace, claimed(wanted)) if size(wanted) else None
        return Store(service=service, name=name, way=Way.RESTART if there else Way.MAKE)
    if foreign := ownership.verdict(app.instance, live):
        return Store(service=service, name=name, way=Way.REFUSED, findings=(foreign,))
    claim = await cluster.get("PersistentVolumeClaim", app.namespace, claimed(wanted)) if size(live) else None
    if findings := stuck(service, wanted, live, claim, await _expands(claim, cluster)):
        return Store(service=service, name=name, way=Way.REFUSED, findings=tuple(findings))
    if size(wanted) and not size(live):
        return Store(service=service, name=name, way=Way.ANEW)
    try:
        after = await cluster.apply(fitting(wanted, live), dry_run=True)
    except FieldConflict as conflict:
        return Store(service=service, name=name, way=Way.REFUSED, findings=tuple(_taken(service, conflict)))
    differ = tuple(
        shown(kind, *one, redact.text)
        for one in changed(live, after, fitting(wanted, live), MANAGER)
        if one[0][:2] == ("spec", "template")
    )
    how, grows = way(wanted, live, claim, differ)
    return Store(service=service, name=name, way=how, fields=differ, storage=grows)


def _taken(service: str, conflict: FieldConflict) -> Iterator[Finding]:
    """What another manager has set otherwise than the spec has it: it is named, and never forced."""
    at = Place(path=f"services.{service}.run")
    hint = "say in nuages.yaml what it has now, or set it back by hand to what the spec says; then nobody disagrees"
    for field in conflict.fields:
        said = f"{field.path.lstrip('.')} was set by {field.manager}, otherwise than the spec has it"
        yield Finding("release.E371", Level.ERROR, said, at, hint)


async def _expands(claim: Object | None, cluster: Cluster) -> bool | None:
    """Whether the volume's class lets it grow; None where that is not for us to see."""
    name = (claim or {"spec": {}})["spec"].get("storageClassName")
    if not name:
        return None
    try:
        found = await cluster.get("StorageClass", None, name)
    except Forbidden:
        return None
    return bool((found or {}).get("allowVolumeExpansion", False)) if found else None


async def _entry(app: App, service: str, cluster: Cluster) -> Entry:
    store = stores.reached(app, service)
    assert store is not None  # noqa: S101 - it is declared
    address = f"{store.host}:{store.port}"
    if store.external:
        return Entry(service=service, where="external", address=address, tls=store.tls)
    if service == POSTGRES and app.cloudnativepg:
        live = await cluster.get(CLUSTER, app.namespace, app.cloudnativepg.name)
        made = Entry(service=service, where="cluster", address=address)
        return msgspec.structs.replace(made, **operated.seen(live)) if live else made
    for kind in WORKLOADS:
        if live := await cluster.get(kind, app.namespace, store.host):
            return Entry(
                service=service,
                where="cluster",
                address=address,
                image=image(live),
                ready=bool(live.get("status", {}).get("readyReplicas")),
                storage=size(live),
            )
    return Entry(service=service, where="cluster", address=address)
