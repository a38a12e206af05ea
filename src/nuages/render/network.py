"""NetworkPolicies: nothing may talk, but for what the app's own topology says (app/topology.py).

Policies add up (https://kubernetes.io/docs/concepts/services-networking/network-policies/): the first denies all, each
of the others opens one end of one opening.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from nuages.app.build import Build
from nuages.app.components import App
from nuages.app.objects import Object
from nuages.app.topology import WEB as PORT
from nuages.app.topology import Addresses, Anybody, Components, Namespaces, Opening, Operated, network, topology
from nuages.render.environment import measured
from nuages.render.labels import COMPONENT, NETWORK, instance, metadata, selector
from nuages.render.static import bridged
from nuages.spec.walls import NameServer

__all__ = ["PORT", "openings", "policies"]

_NAMESPACE = "kubernetes.io/metadata.name"
# https://cloudnative-pg.io/docs/current/labels_annotations: on every pod that its operator makes for a Cluster.
_CLUSTER = "cnpg.io/cluster"


def openings(app: App, build: Build) -> list[Opening]:
    """Every opening of an app with this build."""
    return topology(
        app, bridged=bridged(app, build), measured=any(measured(app, component) for component in app.web.values())
    )


def policies(app: App, build: Build) -> list[Object]:
    """All of them, the denial first."""
    return [
        _policy(app, "default-deny", {"matchLabels": instance(app)}, ingress=[], egress=[]),
        _policy(app, "dns", {"matchLabels": instance(app)}, egress=_dns(app)),
        *_operated(app),
        *(policy for opening in openings(app, build) for policy in _opened(app, opening)),
    ]


def _operated(app: App) -> Iterator[Object]:
    """The same for pods that an operator makes: they have none of the app's labels."""
    if store := app.cloudnativepg:
        pods = _selected(app, Operated(store.name))
        yield _policy(app, "cloudnativepg-default-deny", pods, ingress=[], egress=[])
        yield _policy(app, "cloudnativepg-dns", pods, egress=_dns(app))


def _opened(app: App, opening: Opening) -> Iterator[Object]:
    """The ends of an opening that are the app's: the server's is called as the opening is, the client's is `to-` it."""
    ports = [{"protocol": "TCP", "port": port} for port in opening.ports]
    opened: Object = {"ports": ports} if ports else {}
    inside = isinstance(opening.server, Components | Operated)
    if isinstance(opening.server, Components | Operated):
        yield _policy(
            app,
            opening.name,
            _selected(app, opening.server),
            ingress=[{**({"from": peers} if (peers := _peers(app, opening.client)) else {}), **opened}],
        )
    if isinstance(opening.client, Components | Operated):
        yield _policy(
            app,
            f"to-{opening.name}" if inside else opening.name,
            _selected(app, opening.client),
            egress=[{"to": _peers(app, opening.server), **opened}],
        )


def _selected(app: App, pods: Components | Operated) -> Object:
    if isinstance(pods, Operated):
        return {"matchLabels": {_CLUSTER: pods.cluster}}
    if len(pods.names) == 1:
        return {"matchLabels": selector(app, pods.names[0])}
    component = {"key": COMPONENT, "operator": "In", "values": list(pods.names)}
    return {"matchLabels": instance(app), "matchExpressions": [component]}


def _peers(app: App, end: Components | Operated | Namespaces | Addresses | Anybody) -> list[Object]:
    """An end as the other one's policy names it; nothing for anybody."""
    match end:
        case Components() | Operated():
            return [{"podSelector": _selected(app, end)}]
        case Namespaces(()):
            return [{"namespaceSelector": {}}]
        case Namespaces((one,)):
            return [{"namespaceSelector": {"matchLabels": {_NAMESPACE: one}}}]
        case Namespaces(names):
            named = {"key": _NAMESPACE, "operator": "In", "values": list(names)}
            return [{"namespaceSelector": {"matchExpressions": [named]}}]
        case Addresses(ranges, without):
            return [{"ipBlock": _block(one, without)} for one in ranges]
        case Anybody():
            return []


def _block(written: str, without: tuple[str, ...]) -> Object:
    """A range, and what of it is left out: only what lies in it may be named."""
    wanted = ipaddress.ip_network(written)
    inside = [one for one in without if ipaddress.ip_network(one).version == wanted.version]
    return {"cidr": written, **({"except": inside} if inside else {})}


def _dns(app: App) -> list[Object]:
    """Names are asked for at the cluster's DNS, by UDP, and by TCP where an answer is long."""
    servers = app.network.dns or [NameServer(namespace="kube-system")]
    return [
        {
            "to": [
                {"ipBlock": {"cidr": network(one.range)}}
                if one.range
                else {"namespaceSelector": {"matchLabels": {_NAMESPACE: one.namespace}}}
            ],
            "ports": [{"protocol": protocol, "port": one.port} for protocol in ("UDP", "TCP")],
        }
        for one in servers
    ]


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
