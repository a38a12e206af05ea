"""What earlier releases made, and which of it nobody needs any more: only looked at here.

Only what our own records name, that is still ours, and of the uid that was written down; never what holds data.
"""

from __future__ import annotations

import asyncio

from nuages.app.objects import Object
from nuages.errors import Forbidden
from nuages.kube.client import Cluster
from nuages.release import records
from nuages.release.ownership import holds_data, verdict
from nuages.release.record import Record, Reference, Stored
from nuages.render.environment import POOLER
from nuages.render.labels import CLONE, COMPONENT, PGBOUNCER, belonging

ACCOUNT = "ServiceAccount"
NAMED = frozenset({ACCOUNT, "ConfigMap", "Secret"})
"""The kinds that pods name, without which none of theirs can start anew."""

OVER = frozenset({"SuccessCriteriaMet", "Complete", "FailureTarget", "Failed"})
"""The conditions of a Job that starts no pod any more; of each pair the first comes while pods still end."""

_WITH_PODS = ("Deployment", "Pod")


async def removable(release: Stored, history: list[Stored], cluster: Cluster) -> list[Object]:
    """What this release would remove, as it is now; nothing is touched."""
    gone, _ = await left_over(release, history, cluster)
    return gone


async def left_over(release: Stored, history: list[Stored], cluster: Cluster) -> tuple[list[Object], list[Object]]:
    """What earlier releases made and this one does not: what goes now, and what is needed for a while."""
    record, kept = release.record, records.kept(history)
    for_a_time = [*release.manifest.canary, *release.manifest.maintenance]
    wanted = [item for item in release.manifest.objects if item not in for_a_time]
    needed = {(item["kind"], item["metadata"]["name"]) for item in wanted}
    needed |= {("Secret", stored.record.secrets) for stored in kept if stored.record.secrets}
    named = set().union(*map(_named, history))
    candidates = sorted((kind, name) for kind, name in named - needed if kind != "Namespace")
    lives = await asyncio.gather(*(cluster.get(kind, record.namespace, name) for kind, name in candidates))
    inventory = {reference for stored in history for reference in stored.record.inventory}
    found = [live for live in lives if live and not holds_data(live) and _ours(live, record, inventory)]
    gone = [*found, *await _opened(record, cluster)]
    if any(map(pools, found)) and await _pooled(record, cluster):
        gone = [live for live in gone if not pools(live)]
    if any(live["kind"] in NAMED for live in gone):
        used = await _used(gone, wanted, record, cluster)
        gone = [live for live in gone if (live["kind"], live["metadata"]["name"]) not in used]
    return gone, [live for live in found if live not in gone]


async def _opened(record: Record, cluster: Cluster) -> list[Object]:
    """The ways to the database that a copy opened and, as it was killed, did not close: none is under way now, for it
    would have the lock.
    """
    named = belonging(record.app, record.instance) | {COMPONENT: CLONE}
    try:
        return (await cluster.list("NetworkPolicy", record.namespace, labels=named)).items
    except Forbidden:
        return []  # no reason to end a release: hardly ever is one left


def naming(stay: list[Object], history: list[Stored]) -> list[Stored]:
    """The newest record that names each of those that stay: without one no later release would know of it."""
    left = {(live["kind"], live["metadata"]["name"]) for live in stay}
    found = []
    for stored in history:
        if told := left & _named(stored):
            found.append(stored)
            left -= told
    return found


def _named(stored: Stored) -> set[tuple[str, str]]:
    """All that a release has made, with its copy of the secrets."""
    found = {(item["kind"], item["metadata"]["name"]) for item in stored.manifest.objects}
    return found | ({("Secret", stored.record.secrets)} if stored.record.secrets else set())


async def _used(gone: list[Object], wanted: list[Object], record: Record, cluster: Cluster) -> set[tuple[str, str]]:
    """What is named by something that stays: old workers that are kept for their tasks, and start anew where their node
    goes; and the accounts of pods of a component that goes on, which may end for as long as their longest task.
    """
    ours = belonging(record.app, record.instance)
    kinds = ("Deployment", "StatefulSet", "Job", "Pod")
    lists = await asyncio.gather(*(cluster.list(kind, record.namespace, labels=ours) for kind in kinds))
    removed = {live["metadata"]["uid"] for live in gone}
    used: set[tuple[str, str]] = set()
    for each in lists[:-1]:
        for live in each.items:
            if live["metadata"]["uid"] not in removed and not ended(live):
                used |= references(live["spec"]["template"]["spec"])
    goes_on = {_component(item) for item in wanted}
    for pod in lists[-1].items:
        if _component(pod) in goes_on:
            used.add((ACCOUNT, pod["spec"].get("serviceAccountName", "")))
    return used


def ended(live: Object) -> bool:
    """Whether it is a Job that is over: one that was just made has no active pod either, and is still to begin."""
    conditions = live.get("status", {}).get("conditions") or []
    return live["kind"] == "Job" and any(one["type"] in OVER and one["status"] == "True" for one in conditions)


async def _pooled(record: Record, cluster: Cluster) -> bool:
    """Whether a pod goes by PgBouncer that stays, or that ends: a worker's task may take hours."""
    ours = belonging(record.app, record.instance)
    kept, pods = await asyncio.gather(*(cluster.list(kind, record.namespace, labels=ours) for kind in _WITH_PODS))
    specs = [live["spec"]["template"]["spec"] for live in kept.items if live["spec"].get("replicas")]
    specs += [pod["spec"] for pod in pods.items if pod.get("status", {}).get("phase") not in ("Succeeded", "Failed")]
    told = [one for spec in specs for container in spec["containers"] for one in container.get("env", [])]
    return any(one["name"] == POOLER and one.get("value") for one in told)


def pools(item: Object) -> bool:
    """Whether it is a part of PgBouncer, or one of the ways to it and from there: they stay, and go, together."""
    if item["kind"] != "NetworkPolicy":
        return _component(item) == PGBOUNCER
    spec = item["spec"]
    rules = [*spec.get("ingress", []), *spec.get("egress", [])]
    peers = [peer for rule in rules for peer in [*rule.get("from", []), *rule.get("to", [])]]
    pods = [spec["podSelector"], *(peer["podSelector"] for peer in peers if "podSelector" in peer)]
    return any(one.get("matchLabels", {}).get(COMPONENT) == PGBOUNCER for one in pods)


def references(pod: Object) -> set[tuple[str, str]]:
    """The account, ConfigMaps and Secrets that a pod's spec names."""
    found = {(ACCOUNT, pod.get("serviceAccountName", ""))}
    for container in [*pod.get("initContainers", []), *pod["containers"]]:
        sources = [one.get("valueFrom", {}) for one in container.get("env", [])]
        for one in [*sources, *container.get("envFrom", [])]:
            found |= {("ConfigMap", one[key]["name"]) for key in ("configMapKeyRef", "configMapRef") if key in one}
            found |= {("Secret", one[key]["name"]) for key in ("secretKeyRef", "secretRef") if key in one}
    for volume in pod.get("volumes", []):
        for part in [volume, *volume.get("projected", {}).get("sources", [])]:
            found |= {("ConfigMap", part["configMap"]["name"])} if "configMap" in part else set()
            found |= (
                {("Secret", secret.get("secretName") or secret["name"])} if (secret := part.get("secret")) else set()
            )
    return found


def _component(item: Object) -> str:
    return str(item["metadata"].get("labels", {}).get(COMPONENT, ""))


def _ours(live: Object, record: Record, inventory: set[Reference]) -> bool:
    """Whether an object that a record names is the one that was made then, not another one of that name."""
    kind, name = live["kind"], live["metadata"]["name"]
    uids = {reference.uid for reference in inventory if (reference.kind, reference.name) == (kind, name)}
    return verdict(record.instance, live) is None and (not uids or live["metadata"]["uid"] in uids)
