"""How the outside gets in.

An exposure is an object of its own, called like the app, beside each component's ClusterIP Service: changing the kind
of exposure then never touches the name by which pods and ingress controllers know the component, nor its cluster
address.
"""

from __future__ import annotations

from nuages.app.components import App, Web
from nuages.app.objects import Object
from nuages.render.labels import WEB, metadata, selector
from nuages.render.web import SERVICE_PORT
from nuages.spec.model import Expose


def exposure(app: App) -> list[Object]:
    """The objects that let requests in; none where the app is not exposed, or no web has a route.

    A load balancer or a node's port knows no paths: it leads to the web that answers "/".
    """
    routes = routed(app)
    if app.expose is None or not routes:
        return []
    match app.expose.kind:
        case "loadBalancer" | "nodePort":
            return [_service(app, web, app.expose) for route, web in routes if route == "/"]
        case "ingress":
            return [_ingress(app, routes, app.expose)]
        case "gateway":
            return [_route(app, routes, app.expose)]


def routed(app: App) -> list[tuple[str, Web]]:
    """Each route and the web it leads to, the longest first: some controllers take the first that matches.

    https://kubernetes.io/docs/concepts/services-networking/ingress/#path-types: a slash at the end makes no difference.
    """
    found = [(route, web) for web in app.web.values() for route in web.routes]
    return sorted(found, key=lambda pair: (-len(pair[0].rstrip("/")), pair[0]))


def _service(app: App, component: Web, expose: Expose) -> Object:
    port: Object = {"name": "http", "port": SERVICE_PORT, "targetPort": "http", "protocol": "TCP"}
    if expose.node_port:
        port["nodePort"] = expose.node_port
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(app, app.name, WEB, component.key),
        "spec": {
            "type": "LoadBalancer" if expose.kind == "loadBalancer" else "NodePort",
            # Any node takes requests and passes them on. "Local" would keep the client's address, but a node whose last
            # pod just went would drop what still reaches it.
            "externalTrafficPolicy": "Cluster",
            "selector": selector(app, WEB, component.key),
            "ports": [port],
        },
    }


def _ingress(app: App, routes: list[tuple[str, Web]], expose: Expose) -> Object:
    about = metadata(app, app.name, WEB, routes[-1][1].key)
    paths = [
        {
            "path": route,
            "pathType": "Prefix",
            "backend": {"service": {"name": web.name, "port": {"name": "http"}}},
        }
        for route, web in routes
    ]
    tls = _certificate(app, expose)
    issuer = expose.tls.issuer if expose.tls else None
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        # https://cert-manager.io/docs/usage/ingress/: the annotation asks for the certificate that tls.secretName
        # names.
        "metadata": about | ({"annotations": {"cert-manager.io/cluster-issuer": issuer}} if issuer else {}),
        "spec": {
            **({"ingressClassName": expose.class_} if expose.class_ else {}),
            "rules": [{"host": host, "http": {"paths": paths}} for host in expose.hosts],
            **({"tls": [{"hosts": expose.hosts, "secretName": tls}]} if tls else {}),
        },
    }


def _certificate(app: App, expose: Expose) -> str | None:
    if expose.tls is None:
        return None
    return expose.tls.secret or (f"{app.name}-tls" if expose.tls.issuer else None)


def _route(app: App, routes: list[tuple[str, Web]], expose: Expose) -> Object:
    """https://gateway-api.sigs.k8s.io/api-types/httproute/; a Gateway of another namespace must let this one attach."""
    namespace, _, gateway = (expose.class_ or "").rpartition("/")
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": metadata(app, app.name, WEB, routes[-1][1].key),
        "spec": {
            "parentRefs": [
                {
                    "group": "gateway.networking.k8s.io",
                    "kind": "Gateway",
                    "name": gateway,
                    **({"namespace": namespace} if namespace else {}),
                }
            ],
            "hostnames": expose.hosts,
            "rules": [
                {
                    "matches": [{"path": {"type": "PathPrefix", "value": route}}],
                    "backendRefs": [
                        {"name": web.name, "port": SERVICE_PORT, "kind": "Service", "group": "", "weight": 1}
                    ],
                    # The proxy waits a little longer than the server, so that it is the server that says so.
                    "timeouts": {"request": f"{web.timing.server + 1}s"},
                }
                for route, web in routes
            ],
        },
    }
