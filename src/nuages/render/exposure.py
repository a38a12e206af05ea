"""How the outside gets in.

An exposure is an object of its own, called like the app, beside each component's ClusterIP Service: changing the kind
of exposure then never touches the name by which pods and ingress controllers know the component, nor its cluster
address.
"""

from __future__ import annotations

from nuages.app.build import Build
from nuages.app.components import App, Web
from nuages.app.objects import Object
from nuages.render import profiles, proxies, routes
from nuages.render.destinations import Destination, destinations
from nuages.render.labels import WEB, metadata, selector
from nuages.render.outside import redirecting
from nuages.render.proxies import annotated
from nuages.render.web import SERVICE_PORT
from nuages.spec.model import Expose


def exposure(app: App, build: Build | None = None) -> list[Object]:
    """The objects that let requests in; none where the app is not exposed, or nothing has a route.

    A load balancer or a node's port knows no paths: it leads to the web that answers "/".
    """
    found = destinations(app, build)
    if app.expose is None or not found:
        return []
    match app.expose.kind:
        case "loadBalancer" | "nodePort":
            return [_service(app, each, app.expose) for each in found if each.route == "/" and each.component == WEB]
        case "ingress":
            return [_ingress(app, found, app.expose)]
        case "gateway":
            return routes.routes(app, found, app.expose)


def routed(app: App) -> list[tuple[str, Web]]:
    """Each route and the web it leads to, the longest first."""
    return [(each.route, app.web[each.key]) for each in destinations(app) if each.component == WEB]


def _service(app: App, to: Destination, expose: Expose) -> Object:
    port: Object = {"name": "http", "port": SERVICE_PORT, "targetPort": "http", "protocol": "TCP"}
    if expose.node_port:
        port["nodePort"] = expose.node_port
    balancer = profiles.balancer(expose.profile, to.timeout) if expose.kind == "loadBalancer" else {}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": annotated(
            metadata(app, app.name, WEB, to.key), {**balancer, **proxies.names(app), **expose.annotations}
        ),
        "spec": {
            "type": "LoadBalancer" if expose.kind == "loadBalancer" else "NodePort",
            # Any node takes requests and passes them on. "Local" would keep the client's address, but a node whose last
            # pod just went would drop what still reaches it.
            "externalTrafficPolicy": "Cluster",
            "selector": selector(app, WEB, to.key),
            "ports": [port],
        },
    }


def _ingress(app: App, found: list[Destination], expose: Expose) -> Object:
    paths = [path for each in found for path in _paths(each)]
    to = redirecting(app)
    tls = certificate(app, expose)
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": annotated(metadata(app, app.name, WEB, found[-1].key), proxies.of_ingress(app, found)),
        "spec": {
            **({"ingressClassName": expose.class_} if expose.class_ else {}),
            "rules": [
                *({"host": host, "http": {"paths": paths}} for host in expose.hosts),
                # The standard knows no redirect: a web answers it, before anything of the project's.
                *(
                    [{"host": host, "http": {"paths": [_path("/", to.name)]}} for host in expose.redirects]
                    if to
                    else []
                ),
            ],
            **({"tls": [{"hosts": [*expose.hosts, *expose.redirects], "secretName": tls}]} if tls else {}),
        },
    }


def certificate(app: App, expose: Expose) -> str | None:
    """The Secret that has the certificate, or will have it; None where none is the app's."""
    if expose.tls is None:
        return None
    return expose.tls.secret or (f"{app.name}-tls" if expose.tls.issuer else None)


def _paths(to: Destination) -> list[Object]:
    """The path and all below. By the standard /app/ is /app too; the second is for who goes by the letter."""
    exact = [_path(to.route[:-1], to.service, "Exact")] if to.route != "/" and to.route.endswith("/") else []
    return [_path(to.route, to.service), *exact]


def _path(route: str, service: str, kind: str = "Prefix") -> Object:
    return {
        "path": route,
        "pathType": kind,
        "backend": {"service": {"name": service, "port": {"name": "http"}}},
    }
