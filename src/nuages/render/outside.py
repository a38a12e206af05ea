"""What the project must know of how the outside reaches it: hosts, origins, and whether a proxy's header can be
believed.
"""

from __future__ import annotations

from nuages.app.components import App

LOCAL = "local"
"""The environment on one's own machine, which is reached by address too."""

ANY = "*"


def hosts(app: App) -> str:
    """For ALLOWED_HOSTS, comma-separated: the spec's hosts, and the names by which the app's own pods know its webs.

    Any host in the local environment, and where nothing but an address can lead in. Django writes a wildcard as a
    leading dot (https://docs.djangoproject.com/en/stable/ref/settings/#allowed-hosts).
    """
    # What nothing leads to from outside is looked at through `kubectl port-forward`.
    declared = app.expose.hosts if app.expose else ["localhost", "127.0.0.1"]
    by_address = app.expose is not None and not declared
    if app.environment == LOCAL or by_address:
        return ANY
    inside = [
        f"{web.name}{domain}"
        for web in app.web.values()
        for domain in ("", f".{app.namespace}", f".{app.namespace}.svc")
    ]
    return ",".join([*(host.removeprefix("*") for host in declared), *inside])


def origins(app: App) -> str:
    """For CSRF_TRUSTED_ORIGINS, comma-separated: scheme://host[:port] of each host; "" where there are none."""
    if app.expose is None:
        return ""
    # Where TLS ends before the node's port, it is that place's own port that a browser sees.
    direct = app.expose.node_port and _schemes(app) == ["http"]
    port = f":{app.expose.node_port}" if direct else ""
    return ",".join(f"{scheme}://{host}{port}" for host in app.expose.hosts for scheme in _schemes(app))


def _schemes(app: App) -> list[str]:
    tls = app.expose.tls if app.expose else None
    if tls and tls.none is None:
        return ["https"]
    # A Gateway's listener may have a certificate that the spec does not know of.
    through_gateway = tls is None and app.expose is not None and app.expose.kind == "gateway"
    return ["https", "http"] if through_gateway else ["http"]


def proxy(app: App) -> str:
    """What X-Forwarded-Proto can be believed to say: "https" or "".

    It tells the truth where TLS ends before the pod in something that overwrites it: an ingress controller, a Gateway,
    or a load balancer of which the spec says so. Past a node's port anybody may write what they like.
    """
    through = app.expose is not None and app.expose.kind != "nodePort"
    return "https" if through and "https" in _schemes(app) else ""
