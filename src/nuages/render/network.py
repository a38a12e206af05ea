"""NetworkPolicies: nothing may talk, but for what the app's own topology says.

Policies add up (https://kubernetes.io/docs/concepts/services-networking/network-policies/): the first denies all, each
of the others opens one way.
"""

from __future__ import annotations

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.render.environment import HTTP_PORT
from nuages.render.labels import MIGRATE, NETWORK, POSTGRES, WEB, instance, metadata, selector
from nuages.render.postgres import PORT as POSTGRES_PORT

# Where ingress controllers live, by their class, as their own installers put them (k3s: kube-system). The class of
# another one does not tell its namespace, so any namespace is let in then; never anything outside the cluster.
_CONTROLLERS = {
    "traefik": ["traefik", "traefik-system", "kube-system"],
    "nginx": ["ingress-nginx", "nginx-ingress", "kube-system"],
}
_NAMESPACE = "kubernetes.io/metadata.name"


def policies(app: App) -> list[Object]:
    """All of them, the denial first."""
    return [
        _policy(app, "default-deny", {}, ingress=[], egress=[]),
        _policy(app, "dns", {}, egress=[_dns()]),
        *_web(app),
        *_postgres(app),
    ]


def _web(app: App) -> list[Object]:
    """Requests come from wherever the exposure lets them in; an app without one is reached by port-forward only.

    Each way in has a policy of its own name: where the exposure changes, the old one holds until the old pods are gone.
    The kubelet's probes need no opening: a pod's own node may always reach it.
    """
    match app.expose.kind if app.expose else None:
        case None:
            return []
        case "loadBalancer" | "nodePort":
            # A client's address is its own or a node's, depending on the cluster: no rule by address would hold.
            return [_policy(app, "web", selector(app, WEB), ingress=[{"ports": [_tcp(HTTP_PORT)]}])]
        case _:
            opening = {"from": [_controller(app)], "ports": [_tcp(HTTP_PORT)]}
            return [_policy(app, f"web-from-{_way(app)}", selector(app, WEB), ingress=[opening])]


def _way(app: App) -> str:
    """The class of what lets requests in, as a part of a name."""
    named = app.expose.class_ if app.expose else None
    return named.replace("/", "-") if named else "any"


def _controller(app: App) -> Object:
    names = _CONTROLLERS.get(app.expose.class_ or "") if app.expose else None
    if names is None:
        return {"namespaceSelector": {}}
    return {"namespaceSelector": {"matchExpressions": [{"key": _NAMESPACE, "operator": "In", "values": names}]}}


def _postgres(app: App) -> list[Object]:
    """Both ends of one way: web and migrate to PostgreSQL, and PostgreSQL from them alone."""
    if app.postgres is None:
        return []
    server = {"podSelector": {"matchLabels": selector(app, POSTGRES)}}
    clients = [{"podSelector": {"matchLabels": selector(app, component)}} for component in (WEB, MIGRATE)]
    return [
        _policy(app, "postgres", selector(app, POSTGRES), ingress=[{"from": clients, "ports": [_tcp(POSTGRES_PORT)]}]),
        *(
            _policy(
                app,
                f"{component}-to-postgres",
                selector(app, component),
                egress=[{"to": [server], "ports": [_tcp(POSTGRES_PORT)]}],
            )
            for component in (WEB, MIGRATE)
        ),
    ]


def _dns() -> Object:
    """Names are asked for at the cluster's DNS, by UDP, and by TCP where an answer is long."""
    return {
        "to": [{"namespaceSelector": {"matchLabels": {_NAMESPACE: "kube-system"}}}],
        "ports": [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")],
    }


def _policy(
    app: App,
    name: str,
    pods: dict[str, str],
    *,
    ingress: list[Object] | None = None,
    egress: list[Object] | None = None,
) -> Object:
    """One policy; a direction that is None is not spoken of, an empty one is denied."""
    pods = pods or instance(app)
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(app, f"{app.name}-{name}", NETWORK),
        "spec": {
            "podSelector": {"matchLabels": pods},
            "policyTypes": [
                *(["Ingress"] if ingress is not None else []),
                *(["Egress"] if egress is not None else []),
            ],
            # An empty list is what leaving it out means; the API server drops it, and a diff would show it for ever.
            **({"ingress": ingress} if ingress else {}),
            **({"egress": egress} if egress else {}),
        },
    }


def _tcp(port: int) -> Object:
    return {"protocol": "TCP", "port": port}
