"""NetworkPolicies: nothing may talk, but for what the app's own topology says.

Policies add up (https://kubernetes.io/docs/concepts/services-networking/network-policies/): the first denies all, each
of the others opens one way.
"""

from __future__ import annotations

from nuages.app.build import Build
from nuages.app.components import App
from nuages.app.objects import Object
from nuages.render.environment import METRICS_PORT, measured
from nuages.render.labels import (
    BEAT,
    COMPONENT,
    MIGRATE,
    NETWORK,
    POSTGRES,
    REDIS,
    RUN,
    STATIC,
    WEB,
    WORKER,
    instance,
    metadata,
    selector,
)
from nuages.render.postgres import PORT as POSTGRES_PORT
from nuages.render.redis import PORT as REDIS_PORT
from nuages.render.static import PORT as STATIC_PORT
from nuages.render.static import bridged

# The port of a web that names none.
PORT = 8000

# Where ingress controllers live, by their class, as their own installers put them (k3s: kube-system). The class of
# another one does not tell its namespace, so any namespace is let in then; never anything outside the cluster.
_CONTROLLERS = {
    "traefik": ["traefik", "traefik-system", "kube-system"],
    "nginx": ["ingress-nginx", "nginx-ingress", "kube-system"],
}
_NAMESPACE = "kubernetes.io/metadata.name"


def policies(app: App, build: Build) -> list[Object]:
    """All of them, the denial first."""
    return [
        _policy(app, "default-deny", {"matchLabels": instance(app)}, ingress=[], egress=[]),
        _policy(app, "dns", {"matchLabels": instance(app)}, egress=[_dns()]),
        *_web(app),
        *_metrics(app),
        *(_service(app, POSTGRES, POSTGRES_PORT) if app.postgres else []),
        *(_service(app, REDIS, REDIS_PORT) if app.redis else []),
        *(_static(app) if bridged(app, build) else []),
    ]


def _web(app: App) -> list[Object]:
    """Requests come from wherever the exposure lets them in; an app without one is reached by port-forward only.

    Each way in, and each port, has a policy of its own name: where the exposure or a port changes, the old one holds
    until the old pods are gone. The kubelet's probes need no opening: a pod's own node may always reach it.
    """
    if app.expose is None:
        return []
    # A client's address is its own or a node's, depending on the cluster: no rule by address would hold.
    anywhere = app.expose.kind in ("loadBalancer", "nodePort")
    name = "web" if anywhere else f"web-from-{_way(app)}"
    return [
        _policy(
            app,
            name if port == PORT else f"{name}-{port}",
            {"matchLabels": selector(app, WEB)},
            ingress=[{**({} if anywhere else {"from": [_controller(app)]}), "ports": [_tcp(port)]}],
        )
        for port in sorted({web.port for web in app.web.values() if web.routes})
    ]


def _metrics(app: App) -> list[Object]:
    """Whoever collects metrics is in the cluster, in a namespace that the spec does not know."""
    if not any(measured(app, web) for web in app.web.values()):
        return []
    opening = {"from": [{"namespaceSelector": {}}], "ports": [_tcp(METRICS_PORT)]}
    return [_policy(app, "metrics", {"matchLabels": selector(app, WEB)}, ingress=[opening])]


def _way(app: App) -> str:
    """The class of what lets requests in, as a part of a name."""
    named = app.expose.class_ if app.expose else None
    return named.replace("/", "-") if named else "any"


def _controller(app: App) -> Object:
    names = _CONTROLLERS.get(app.expose.class_ or "") if app.expose else None
    if names is None:
        return {"namespaceSelector": {}}
    return {"namespaceSelector": {"matchExpressions": [{"key": _NAMESPACE, "operator": "In", "values": names}]}}


def _service(app: App, service: str, port: int) -> list[Object]:
    """Both ends of one way: the project's processes to a data store, and the data store from them alone."""
    server = {"matchLabels": selector(app, service)}
    # Whether or not the app has them now: workers that a release removes finish their tasks, for which they need their
    # data stores, long after its own walls stand.
    component = {"key": COMPONENT, "operator": "In", "values": [WEB, WORKER, BEAT, MIGRATE, RUN]}
    clients = {"matchLabels": instance(app), "matchExpressions": [component]}
    ports = [_tcp(port)]
    return [
        _policy(app, service, server, ingress=[{"from": [{"podSelector": clients}], "ports": ports}]),
        _policy(app, f"to-{service}", clients, egress=[{"to": [{"podSelector": server}], "ports": ports}]),
    ]


def _static(app: App) -> list[Object]:
    """Webs ask for static files of other releases; those who keep them ask nobody."""
    server, clients = ({"matchLabels": selector(app, component)} for component in (STATIC, WEB))
    ports = [_tcp(STATIC_PORT)]
    return [
        _policy(app, STATIC, server, ingress=[{"from": [{"podSelector": clients}], "ports": ports}]),
        _policy(app, f"to-{STATIC}", clients, egress=[{"to": [{"podSelector": server}], "ports": ports}]),
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
    pods: Object,
    *,
    ingress: list[Object] | None = None,
    egress: list[Object] | None = None,
) -> Object:
    """One policy; a direction that is None is not spoken of, an empty one is denied."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(app, f"{app.name}-{name}", NETWORK),
        "spec": {
            "podSelector": pods,
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
