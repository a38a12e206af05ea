"""Whether somebody listens to what an app asks for: an ingress class, a Gateway, an issuer, a certificate's Secret."""

from __future__ import annotations

from collections.abc import Iterator

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.errors import Gone, Rejected
from nuages.findings import Finding, Level, Place
from nuages.kube.client import Cluster
from nuages.release import certificates
from nuages.release.secrets import decoded
from nuages.release.world import utc
from nuages.render.routes import parent

_DEFAULT = "ingressclass.kubernetes.io/is-default-class"
_TLS = "kubernetes.io/tls"


async def ingress_class(app: App, cluster: Cluster) -> list[Finding]:
    """The class is there; without one, somebody takes what names none. GKE has no object for its own."""
    assert app.expose is not None  # noqa: S101 - only asked for an ingress
    if app.expose.profile == "gke" and app.expose.class_ is None:
        return []
    known = (await cluster.list("IngressClass")).items
    names = sorted(item["metadata"]["name"] for item in known)
    hint = (
        f"class: {' or '.join(names)}" if names else "no ingress controller is installed; kind: loadBalancer needs none"
    )
    if app.expose.class_:
        if app.expose.class_ in names:
            return []
        return [_missing(f"the cluster has no ingress class {app.expose.class_}", "expose.class", hint)]
    if any((item["metadata"].get("annotations") or {}).get(_DEFAULT) == "true" for item in known):
        return []
    message = "no ingress class is the default one: it may be that nobody takes an ingress that names none"
    return [Finding("release.W403", Level.WARNING, message, Place(path="expose.class"), hint)]


async def gateway(app: App, cluster: Cluster) -> list[Finding]:
    """The Gateway is there, lets routes of the app's namespace attach, and has a listener for each name."""
    assert app.expose is not None  # noqa: S101 - only asked for a route
    namespace, name = parent(app.expose)
    try:
        live = await cluster.get("Gateway", namespace or app.namespace, name)
    except Gone:
        live = None
    if live is None:
        known = await _gateways(cluster)
        hint = f"class: {' or '.join(known)}" if known else "the cluster has no Gateway; kind: ingress"
        where = f"in namespace {namespace or app.namespace}"
        return [_missing(f"there is no Gateway {name} {where}", "expose.class", hint)]
    listeners = live["spec"].get("listeners", [])
    open_ = [one for one in listeners if _lets_in(one, same=(namespace or app.namespace) == app.namespace)]
    if not open_:
        message = f"the Gateway {name} lets no route of namespace {app.namespace} attach"
        return [_missing(message, "expose.class", "a listener's allowedRoutes: {namespaces: {from: All}}")]
    return [
        _missing(f"no listener of the Gateway {name} is for {host}", "expose.hosts", f"there are {', '.join(names)}")
        for host in [*app.expose.hosts, *app.expose.redirects]
        if not any(_covers(one.get("hostname"), host) for one in open_)
        for names in [[one["hostname"] for one in open_]]
    ]


async def issuer(app: App, cluster: Cluster) -> list[Finding]:
    """The issuer is there and can issue."""
    named = app.expose.tls.issuer if app.expose and app.expose.tls else None
    if named is None:
        return []
    try:
        live = await cluster.get("ClusterIssuer", None, named)
    except Rejected:
        hint = "https://cert-manager.io/docs/installation/; on this machine nuages cluster up --with cert-manager"
        return [_missing("the cluster has no cert-manager, which would issue", "expose.tls.issuer", hint)]
    if live is None:
        known = sorted(item["metadata"]["name"] for item in (await cluster.list("ClusterIssuer")).items)
        hint = f"issuer: {' or '.join(known)}" if known else "https://cert-manager.io/docs/configuration/"
        return [_missing(f"the cluster has no ClusterIssuer {named}", "expose.tls.issuer", hint)]
    return list(_unready(live, named))


async def certificate(app: App, cluster: Cluster) -> list[Finding]:
    """The Secret is there, and what it holds serves each name, and will for a while."""
    expose = app.expose
    named = expose.tls.secret if expose and expose.tls else None
    if expose is None or named is None:
        return []
    live = await cluster.get("Secret", app.namespace, named)
    if live is None:
        hint = f"kubectl -n {app.namespace} create secret tls {named} --cert FILE --key FILE"
        return [_unfit(f"there is no Secret {named} in namespace {app.namespace}", hint)]
    if live.get("type") != _TLS:
        return [_unfit(f"the Secret {named} is of type {live.get('type')}, not {_TLS}", f"one of type {_TLS}")]
    values = decoded(live)
    return list(_judged(values.get("tls.crt", b""), values.get("tls.key", b""), [*expose.hosts, *expose.redirects]))


def _judged(chain: bytes, key: bytes, hosts: list[str]) -> Iterator[Finding]:
    ends = None
    for host in hosts:
        try:
            ends = certificates.until(chain, key, host)
        except certificates.Unfit as error:
            yield _unfit(f"{host}: {error.message}", "a certificate for each name in hosts and redirects, and its key")
    if ends and ends - utc() < certificates.SOON:
        message = f"the certificate ends on {ends:%Y-%m-%d}"
        yield Finding("release.W403", Level.WARNING, message, Place(path="expose.tls.secret"), "renew it")


def _unready(live: Object, named: str) -> Iterator[Finding]:
    for condition in (live.get("status") or {}).get("conditions", []):
        if condition["type"] == "Ready" and condition["status"] == "False":
            message = f"the issuer {named} is not ready: {condition.get('message', '')}".rstrip(": ")
            yield Finding(
                "release.W403", Level.WARNING, message, Place(path="expose.tls.issuer"), "its events tell more"
            )


async def _gateways(cluster: Cluster) -> list[str]:
    try:
        known = (await cluster.list("Gateway")).items
    except Gone:
        return []
    return sorted(f"{item['metadata']['namespace']}/{item['metadata']['name']}" for item in known)


def _lets_in(listener: Object, *, same: bool) -> bool:
    """Whether routes of the app's namespace may attach; labels that a selector asks for are taken as given."""
    allowed = listener.get("allowedRoutes", {}).get("namespaces", {}).get("from", "Same")
    return listener["protocol"] in ("HTTP", "HTTPS") and (same or allowed in ("All", "Selector"))


def _covers(listens: str | None, host: str) -> bool:
    """Whether names meet, * standing for one label or more (https://gateway-api.sigs.k8s.io/reference/spec/)."""
    if listens is None or listens == host:
        return True
    return listens.startswith("*.") and host.removeprefix("*").endswith(listens[1:])


def _missing(message: str, path: str, hint: str) -> Finding:
    return Finding("release.E402", Level.ERROR, message, Place(path=path), hint)


def _unfit(message: str, hint: str) -> Finding:
    return Finding("release.E404", Level.ERROR, message, Place(path="expose.tls.secret"), hint)
