"""What somebody else in the cluster has already: a name with its paths, a port of the nodes."""

from __future__ import annotations

from collections.abc import Iterator

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.errors import Gone
from nuages.findings import Finding, Level, Place
from nuages.kube.client import Cluster
from nuages.render.labels import instance


async def hosts(app: App, cluster: Cluster, wanted: Object) -> list[Finding]:
    """Names of a way in that another one of the same door leads elsewhere, on the same paths.

    Two apps may share a name, each with paths of its own; of one path, controllers let the older win, or both in turn.
    """
    kind = wanted["kind"]
    try:
        others = (await cluster.list(kind)).items
    except Gone:
        return []  # the cluster has no such kind, which another check says
    mine = set(_claims(wanted))
    found = [
        (host, path, item)
        for item in others
        if not _ours(app, item) and _same_door(wanted, item) and "deletionTimestamp" not in item["metadata"]
        for host, path in _claims(item)
        if (host, path) in mine
    ]
    return [
        Finding(
            "release.E400",
            Level.ERROR,
            f"{host}{path} is answered by {_who(item)} already",
            Place(path=f"{kind}/{wanted['metadata']['name']}"),
            "another name or path in expose.hosts and routes, or take it away there first",
        )
        for (host, path), item in {(host, path): item for host, path, item in found}.items()
    ]


async def ports(app: App, cluster: Cluster, wanted: Object) -> list[Finding]:
    """Ports of the nodes that another Service has: there is one of each in a cluster."""
    numbers = {port["nodePort"] for port in wanted["spec"]["ports"] if "nodePort" in port}
    return [
        Finding(
            "release.E401",
            Level.ERROR,
            f"port {port['nodePort']} of the nodes is {_who(item)}'s",
            Place(path="expose.nodePort"),
            "another one from 30000 to 32767, or leave it out: the cluster chooses a free one",
        )
        for item in (await cluster.list("Service")).items
        if not (_ours(app, item) and item["metadata"]["name"] == wanted["metadata"]["name"])
        for port in item["spec"].get("ports", [])
        if port.get("nodePort") in numbers
    ]


def _claims(way: Object) -> Iterator[tuple[str, str]]:
    """Each host and path, as they are compared: a slash at the end makes no difference to a prefix."""
    spec = way["spec"]
    if way["kind"] == "Ingress":
        for rule in spec.get("rules", []):
            for path in rule.get("http", {}).get("paths", []):
                yield rule.get("host", "*"), _plain(path.get("path", "/"))
        return
    for host in spec.get("hostnames", ["*"]):
        for rule in spec.get("rules", []):
            for match in rule.get("matches", [{}]):
                # A header or a method makes it another way: only what is taken whole is taken.
                if not match.keys() - {"path"}:
                    yield host, _plain(match.get("path", {}).get("value", "/"))


def _plain(path: str) -> str:
    return path.rstrip("/") or "/"


def _same_door(wanted: Object, other: Object) -> bool:
    """Whether both are of the same class, or of the same Gateway; where one names none, they may be."""
    if wanted["kind"] == "Ingress":
        classes = {_class(wanted), _class(other)} - {None}
        return len(classes) < 2
    return bool(_parents(wanted) & _parents(other))


def _class(ingress: Object) -> str | None:
    named = ingress["spec"].get("ingressClassName")
    old = (ingress["metadata"].get("annotations") or {}).get("kubernetes.io/ingress.class")
    return named or old


def _parents(route: Object) -> set[tuple[str, str]]:
    namespace = route["metadata"]["namespace"]
    return {(one.get("namespace", namespace), one["name"]) for one in route["spec"].get("parentRefs", [])}


def _ours(app: App, item: Object) -> bool:
    about = item["metadata"]
    return about["namespace"] == app.namespace and instance(app).items() <= (about.get("labels") or {}).items()


def _who(item: Object) -> str:
    about = item["metadata"]
    return f"{item['kind']} {about['namespace']}/{about['name']}"
