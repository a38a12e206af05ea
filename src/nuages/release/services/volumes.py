"""Which volume a data store has: the first one, or the one that its major version was filled into."""

from __future__ import annotations

from typing import Any

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.errors import Forbidden, Refused
from nuages.findings import Finding, Level, Place
from nuages.kube.client import Cluster
from nuages.kube.watch import Mirror
from nuages.release.services.change import claimed, major
from nuages.render.labels import BACKUP, COMPONENT, POSTGRES, selector
from nuages.render.upgrade import BEFORE, CLOSED, FILLED, housed, moved

ELSEWHERE, AMID = "release.E374", "release.E480"


async def placed(wanted: Object, live: Object | None, cluster: Cluster) -> Object:
    """A data store's workload as it is rendered, with the volume that it has, or, where it is made anew, had.

    Raises:
        Refused: it would be made anew on a volume that an upgrade has left behind, as it was then; or amid an upgrade.
    """
    if not _moves(wanted):
        return wanted
    if live is not None:
        (claim,) = live["spec"].get("volumeClaimTemplates")
        return housed(wanted, claim["metadata"]["name"])
    await settled(wanted, cluster)
    namespace, labels = wanted["metadata"]["namespace"], wanted["spec"]["selector"]["matchLabels"]
    claims = (await cluster.list("PersistentVolumeClaim", namespace, labels=labels)).items
    filled = {item["metadata"]["name"]: item for item in claims if full(item)}
    if not filled:
        return wanted
    newest = max(filled, key=_version)
    other = housed(wanted, moved(major(wanted)))
    if newest == claimed(other):
        return other
    version = _version(newest)
    said = f"the data is on {newest}, which was filled for PostgreSQL {version}, and {major(wanted)} would not see it"
    hint = f'version: "{version}"; or kubectl annotate pvc {newest} {FILLED}=false --overwrite, if nobody needs it'
    found = Finding(ELSEWHERE, Level.ERROR, said, Place(path="services.postgres.run.version"), hint)
    raise Refused("PostgreSQL was not made anew", findings=[found])


async def settled(wanted: Object, cluster: Cluster) -> None:
    """Make sure that no upgrade was stopped between two servers: neither of them can be written to then.

    Raises:
        Refused: one was.
    """
    if not _moves(wanted):
        return
    namespace, labels = wanted["metadata"]["namespace"], wanted["spec"]["selector"]["matchLabels"]
    try:
        claims = (await cluster.list("PersistentVolumeClaim", namespace, labels=labels)).items
    except Forbidden:
        return  # no reason by itself to end a release: hardly ever was one stopped there
    name = wanted["metadata"]["name"]
    if any(BEFORE in _notes(item) for item in claims):
        said = f"an upgrade of {name} was stopped between two servers"
        hint = "nuages services upgrade goes on with it, or back"
    elif any(CLOSED in _notes(item) for item in claims):
        said = f"an upgrade of {name} was stopped before it could be written to again"
        hint = "nuages services apply lets it be"
    else:
        return
    found = Finding(AMID, Level.ERROR, said, Place(path="services.postgres"), hint)
    raise Refused("nothing was touched", findings=[found])


async def amid(namespace: str, labels: dict[str, str], cluster: Cluster) -> Object | None:
    """The claim of an upgrade that has not ended: full, and not yet written to; or given up, and not yet left."""
    claims = (await cluster.list("PersistentVolumeClaim", namespace, labels=labels)).items
    return next((item for item in claims if BEFORE in _notes(item)), None)


async def forsaken(app: App, live: Object, cluster: Cluster) -> None:
    """The server that stands is about to be written to: what was filled beside it counts no more, and from it there is
    no way back.
    """
    claims = (await cluster.list("PersistentVolumeClaim", app.namespace, labels=selector(app, POSTGRES))).items
    # Its own first: whatever is killed here, something says that it is not open yet.
    for item in sorted(claims, key=lambda one: one["metadata"]["name"] != claimed(live)):
        name, notes = item["metadata"]["name"], _notes(item)
        told: dict[str, str | None] = {BEFORE: None} if BEFORE in notes else {}
        if name == claimed(live):
            told |= {CLOSED: "true"}
        elif FILLED in notes:
            await unhanded(app, name, cluster)
            told |= {FILLED: "false"} if full(item) else {}
        if told:
            await _note(app, name, told, cluster)


async def closed(app: App, cluster: Cluster) -> list[str]:
    """The claims of a server that may be read-only still: whoever was to open it was killed."""
    try:
        claims = (await cluster.list("PersistentVolumeClaim", app.namespace, labels=selector(app, POSTGRES))).items
    except Forbidden:
        return []  # who could not even look has closed none
    return [item["metadata"]["name"] for item in claims if CLOSED in _notes(item)]


async def opened(app: App, cluster: Cluster) -> None:
    """It can be written to."""
    for name in await closed(app, cluster):
        await _note(app, name, {CLOSED: None}, cluster)


async def _note(app: App, name: str, told: dict[str, str | None], cluster: Cluster) -> None:
    await cluster.patch_merge("PersistentVolumeClaim", app.namespace, name, {"metadata": {"annotations": told}})


async def unhanded(app: App, name: str, cluster: Cluster) -> None:
    """End the Jobs that fill a volume, or did: its claim stays for as long as a pod names it, one that has ended too.

    https://github.com/kubernetes/kubernetes/issues/120756
    """
    for job in (await cluster.list("Job", app.namespace, labels=selector(app, BACKUP))).items:
        volumes = job["spec"]["template"]["spec"].get("volumes", [])
        if name in {volume.get("persistentVolumeClaim", {}).get("claimName") for volume in volumes}:
            await without(job, cluster, propagation="Foreground")


async def without(live: Object, cluster: Cluster, *, propagation: str) -> None:
    """Take an object away, and wait until its name is free."""
    kind, about = live["kind"], live["metadata"]
    async with Mirror(cluster, about["namespace"], (kind,), about["labels"]) as mirror:
        await cluster.delete(kind, about["namespace"], about["name"], uid=about["uid"], propagation=propagation)
        while (there := mirror.get(kind, about["name"])) and there["metadata"]["uid"] == about["uid"]:
            await mirror.changed(since=mirror.version)


def full(claim: Object | None) -> bool:
    """Whether a volume was filled by an upgrade to its end."""
    return claim is not None and _notes(claim).get(FILLED) == "true"


def _moves(workload: Object) -> bool:
    """Whether it is the set of PostgreSQL, whose volume may be another one than the first."""
    component: str = workload["metadata"]["labels"].get(COMPONENT, "")
    return workload["kind"] == "StatefulSet" and component == POSTGRES


def _notes(claim: Object) -> dict[str, Any]:
    return claim["metadata"].get("annotations") or {}


def _version(name: str) -> int:
    """The major version in a claim's name, `data-17-blog-postgres-0`."""
    number = name.split("-")[1]
    return int(number) if number.isdecimal() else 0
