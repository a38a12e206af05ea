"""The ways in through a Gateway: https://gateway-api.sigs.k8s.io/api-types/httproute/.

A Gateway of another namespace must let these attach; its listeners hold the certificates.
"""

from __future__ import annotations

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.render import proxies
from nuages.render.destinations import Destination
from nuages.render.labels import WEB, metadata
from nuages.render.proxies import annotated
from nuages.render.web import SERVICE_PORT
from nuages.spec.model import Expose

_ALL = {"path": {"type": "PathPrefix", "value": "/"}}


def routes(app: App, found: list[Destination], expose: Expose) -> list[Object]:
    """The route of the app, and where names lead to another, the route of those."""
    key = found[-1].key
    made = [_route(expose, metadata(app, app.name, WEB, key), expose.hosts, [_rule(each) for each in found])]
    if expose.redirects:
        about = metadata(app, f"{app.name}-redirects", WEB, key)
        made.append(_route(expose, about, expose.redirects, [{"matches": [_ALL], "filters": [_redirect(expose)]}]))
    annotations = {**proxies.names(app), **expose.annotations}
    return [route | {"metadata": annotated(route["metadata"], annotations)} for route in made]


def parent(expose: Expose) -> tuple[str, str]:
    """The namespace and the name of the Gateway; "" for the app's own namespace."""
    namespace, _, gateway = (expose.class_ or "").rpartition("/")
    return namespace, gateway


def _route(expose: Expose, about: Object, hosts: list[str], rules: list[Object]) -> Object:
    namespace, gateway = parent(expose)
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": about,
        "spec": {
            "parentRefs": [
                {
                    "group": "gateway.networking.k8s.io",
                    "kind": "Gateway",
                    "name": gateway,
                    **({"namespace": namespace} if namespace else {}),
                }
            ],
            "hostnames": hosts,
            "rules": rules,
        },
    }


def _rule(to: Destination) -> Object:
    return {
        "matches": [{"path": {"type": "PathPrefix", "value": to.route}}],
        "backendRefs": [{"name": to.service, "port": SERVICE_PORT, "kind": "Service", "group": "", "weight": 1}],
        "timeouts": {"request": f"{to.timeout}s"},
    }


def _redirect(expose: Expose) -> Object:
    """The one redirect that every Gateway has to know; path and query stay, and where TLS is not known of, the scheme.

    Without a scheme the port would be the listener's own, which is not always the one that browsers see.
    """
    tls = expose.tls
    scheme = {"scheme": "https"} if tls and tls.none is None else {"scheme": "http"} if tls else {}
    return {
        "type": "RequestRedirect",
        "requestRedirect": {**scheme, "hostname": expose.hosts[0], "statusCode": 301},
    }
