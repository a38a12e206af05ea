"""Which volume a data store has: the first one, or the one that its major version was filled into."""

from __future__ import annotations

from nuages.app.objects import Object
from nuages.kube.client import Cluster
from nuages.release.services.change import claimed, major
from nuages.render.labels import COMPONENT, POSTGRES
from nuages.render.upgrade import FILLED, housed, moved


async def placed(wanted: Object, live: Object | None, cluster: Cluster) -> Object:
    """A data store's workload as it is rendered, with the volume that it has, or, where it is made anew, had."""
    if wanted["metadata"]["labels"].get(COMPONENT) != POSTGRES or wanted["kind"] != "StatefulSet":
        return wanted
    if live is not None:
        (claim,) = live["spec"].get("volumeClaimTemplates")
        return housed(wanted, claim["metadata"]["name"])
    other = housed(wanted, moved(major(wanted)))
    found = await cluster.get("PersistentVolumeClaim", wanted["metadata"]["namespace"], claimed(other))
    return other if full(found) else wanted


def full(claim: Object | None) -> bool:
    """Whether a volume was filled by an upgrade to its end."""
    return claim is not None and claim["metadata"].get("annotations", {}).get(FILLED) == "true"
