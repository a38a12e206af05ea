"""Which volume a data store has: the first one, or the one that its major version was filled into."""

from __future__ import annotations

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.errors import Refused
from nuages.findings import Finding, Level, Place
from nuages.kube.client import Cluster
from nuages.kube.watch import Mirror
from nuages.release.services.change import claimed, major
from nuages.render.labels import BACKUP, COMPONENT, POSTGRES, selector
from nuages.render.upgrade import FILLED, housed, moved

ELSEWHERE = "release.E374"


async def placed(wanted: Object, live: Object | None, cluster: Cluster) -> Object:
    """A data store's workload as it is rendered, with the volume that it has, or, where it is made anew, had.

    Raises:
        Refused: it would be made anew on a volume that an upgrade has left behind, as it was then.
    """
    if wanted["metadata"]["labels"].get(COMPONENT) != POSTGRES or wanted["kind"] != "StatefulSet":
        return wanted
    if live is not None:
        (claim,) = live["spec"].get("volumeClaimTemplates")
        return housed(wanted, claim["metadata"]["name"])
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


async def forsaken(app: App, live: Object, cluster: Cluster) -> None:
    """What an upgrade that was stopped has filled counts no more: the server that stands is about to be written to."""
    claims = (await cluster.list("PersistentVolumeClaim", app.namespace, labels=selector(app, POSTGRES))).items
    for item in claims:
        name = item["metadata"]["name"]
        if name == claimed(live) or FILLED not in item["metadata"].get("annotations", {}):
            continue
        await unhanded(app, name, cluster)
        if full(item):
            told = {"metadata": {"annotations": {FILLED: "false"}}}
            await cluster.patch_merge("PersistentVolumeClaim", app.namespace, name, told)


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
    return claim is not None and claim["metadata"].get("annotations", {}).get(FILLED) == "true"


def _version(name: str) -> int:
    """The major version in a claim's name, `data-17-blog-postgres-0`."""
    number = name.split("-")[1]
    return int(number) if number.isdecimal() else 0
