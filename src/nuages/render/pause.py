"""The page that a person puts in front of the app, and the way past it for staff: what stands while it is on.

The Services lead to the page, by their selectors: so it is in front whichever way requests come in, and the addresses
and certificates stay. What the Services led to has another Service each, for those whom the page lets past.
"""

from __future__ import annotations

from collections.abc import Sequence

from nuages.app.build import Build
from nuages.app.components import App
from nuages.app.objects import Object
from nuages.render.destinations import destinations
from nuages.render.labels import COMPONENT, CONFIG, FRONTEND, KEY, NETWORK, WEB, instance, metadata, selector
from nuages.render.maintenance import FOLDER, page
from nuages.render.release import Release

HAND = "maintenance.hand"
"""Of its pods, as a web's: so the walls that let requests in to webs let them in here."""

ON = "nuages.dev/maintenance"
"""The annotation of the page's Deployment while requests are to go there: since when, and who wants it."""

BEHIND = "-behind"
FILE = "maintenance.html"
TOKEN = "token"  # noqa: S105 - the name of a key
IN_FRONT = (WEB, FRONTEND)


def name(app: str) -> str:
    """What its objects are called."""
    return f"{app}-page"


def objects(
    app: App, build: Build, services: Sequence[Object], token: str, html: str | None, *, walls: bool
) -> list[Object]:
    """All that the page needs, itself last.

    Args:
        app: whose.
        build: the image that serves, which has the page.
        services: those that lead to webs and front ends, as the release has them.
        token: what lets staff past.
        html: a page of one's own; None for the project's, or ours.
        walls: whether the app has any; the first one shuts out all that no other lets in.
    """
    release = Release(number=1, template=1, build=build)
    own = name(app.name)
    secret = {"secretKeyRef": {"name": own, "key": TOKEN}}
    variables: list[Object] = [
        {"name": "NUAGES_BYPASS", "valueFrom": secret},
        {"name": "NUAGES_BEHIND", "value": ",".join(_ways(app, build, services))},
        *([{"name": "NUAGES_PAGE", "value": f"{FOLDER}/{FILE}"}] if html is not None else []),
    ]
    kept = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata(app, own, CONFIG), "stringData": {TOKEN: token}}
    shown = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata(app, own, CONFIG), "data": {FILE: html}}
    behind = [_behind(service) for service in services if service["spec"].get("type", "ClusterIP") == "ClusterIP"]
    made = page(app, release, own, HAND, variables=variables, file=own if html is not None else "")
    return [kept, *([shown] if html is not None else []), *(_walls(app) if walls else []), *behind, made]


def led(service: Object) -> Object:
    """A Service of webs or front ends that leads to the page; any other object as it is."""
    labels = service["spec"].get("selector", {}) if service["kind"] == "Service" else {}
    if labels.get(COMPONENT) not in IN_FRONT:
        return service
    spec = service["spec"]
    ports = [{**port, "targetPort": "http"} if port.get("name") == "http" else port for port in spec["ports"]]
    return {**service, "spec": {**spec, "selector": {**labels, COMPONENT: WEB, KEY: HAND}, "ports": ports}}


def in_front(service: Object) -> bool:
    """Whether requests come in by a Service."""
    return service["kind"] == "Service" and service["spec"].get("selector", {}).get(COMPONENT) in IN_FRONT


def page_of(service: Object) -> str:
    """What the page in front of a Service is called."""
    return name(service["metadata"]["labels"]["app.kubernetes.io/name"])


def stands(page: Object | None) -> bool:
    """Whether the page's Deployment, as the cluster has it, is in front: requests go there, and are meant to."""
    if page is None or page["metadata"].get("deletionTimestamp"):
        return False
    return ON in (page["metadata"].get("annotations") or {})


def _behind(service: Object) -> Object:
    about, spec = service["metadata"], service["spec"]
    meta = {"name": about["name"] + BEHIND, "namespace": about["namespace"], "labels": about["labels"]}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": meta,
        "spec": {"selector": spec["selector"], "ports": [port for port in spec["ports"] if port["name"] == "http"]},
    }


def _ways(app: App, build: Build, services: Sequence[Object]) -> list[str]:
    """The paths and what answers them, the longest first."""
    ports = {service["metadata"]["name"]: service["spec"]["ports"][0]["port"] for service in services}
    found = [(to.route, to.service) for to in destinations(app, build) if to.service in ports]
    if not found:
        found = [("/", one) for one in list(ports)[:1]]
    return [f"{route}={service}{BEHIND}:{ports[service]}" for route, service in found]


def _walls(app: App) -> list[Object]:
    """The page may ask webs and front ends, and they may be asked by it."""
    pages = {"matchLabels": selector(app, WEB, HAND)}
    several = {"key": COMPONENT, "operator": "In", "values": list(IN_FRONT)}
    asked = {"matchLabels": instance(app), "matchExpressions": [several]}
    rules: list[tuple[str, Object]] = [
        (name(app.name), {"podSelector": asked, "policyTypes": ["Ingress"], "ingress": [{"from": [_pods(pages)]}]}),
        (f"{name(app.name)}-to", {"podSelector": pages, "policyTypes": ["Egress"], "egress": [{"to": [_pods(asked)]}]}),
    ]
    return [
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": metadata(app, called, NETWORK),
            "spec": spec,
        }
        for called, spec in rules
    ]


def _pods(selected: Object) -> Object:
    return {"podSelector": selected}
