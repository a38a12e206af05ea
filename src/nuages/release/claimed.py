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
    place = Place(path=f"{kind}/{wanted['metadata']['name']}")
    return [
        *(
            Finding(
                "release.E400",
                Level.ERROR,
                f"{host}{path} is answered by {_who(item)} already",
                place,
                "another name or path in expose.hosts and routes, or take it away there first",
            )
            for (host, path), item in {(host, path): item for host, path, item in found}.items()
        ),
        *_wildcards(app, wanted, others, place),
    ]


def _wildcards(app: App, wanted: Object, others: list[Object], place: Place) -> Iterator[Finding]:
    """Names of which one is the other's wildcard: the exact one wins, at an Ingress and at a Gateway, so nothing stands
    in the way; but one of the two gets fewer requests than its spec says.
    """
    mine = {host for host, _ in _claims(wanted)}
    several = wanted["kind"] == "HTTPRoute"
    told = set()
    for item in others:
        if _ours(app, item) or not _same_door(wanted, item):
            continue
        for theirs in {host for host, _ in _claims(item)}:
            told |= {
                f"{host} is a name of {_who(item)}'s {theirs}, and is taken from there"
                for host in mine
                if below(host, theirs, several=several)
            }
            told |= {
                f"{theirs} goes to {_who(item)}, and not where {host} goes"
                for host in mine
                if below(theirs, host, several=several)
            }
    hint = "as it is meant, or another name in expose.hosts"
    yield from (Finding("release.W461", Level.WARNING, said, place, hint) for said in sorted(told))


def below(host: str, wildcard: str, *, several: bool) -> bool:
    """Whether a name is one of a wildcard's: of an Ingress one label stands for the *, of a Gateway one or more.

    https://kubernetes.io/docs/concepts/services-networking/ingress/#hostname-wildcards;
    https://gateway-api.sigs.k8s.io/reference/spec/#hostname
    """
    if not wildcard.startswith("*.") or host.startswith("*") or not host.endswith(wildcard[1:]):
        return False
    label = host[: -len(wildcard[1:])]
    return bool(label) and (several or "." not in label)


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
