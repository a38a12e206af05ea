"""What the project must know of how the outside reaches it: hosts, origins, and whether a proxy's header can be
believed.
"""

from __future__ import annotations

from nuages.app.components import App, Web
from nuages.spec.units import bytes_of, seconds

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


def redirecting(app: App) -> Web | None:
    """The web that sends requests for one name on to another, and answers nothing else for that name.

    The one that answers "/" where it is the runtime's; None where none is: a command of the project's own knows
    nothing of it. A Gateway does it itself.
    """
    if app.expose is None or not app.expose.redirects or app.expose.kind == "gateway":
        return None
    able = [web for web in app.web.values() if web.command is None and web.routes]
    pathless = app.expose.kind in ("loadBalancer", "nodePort")
    return next((web for web in able if "/" in web.routes), able[0] if able and not pathless else None)


def front(app: App) -> dict[str, str]:
    """What the runtime answers before the project is asked, of requests from outside; only what the spec says."""
    expose = app.expose
    if expose is None:
        return {}
    redirects = expose.redirects if redirecting(app) else []
    return {
        **({"NUAGES_REDIRECTS": ",".join(redirects), "NUAGES_REDIRECT_TO": _first(app)} if redirects else {}),
        # Where a balancer ends TLS, what it says of a request is not always true; an ingress controller's word is.
        **({"NUAGES_HTTPS": "1"} if expose.hsts and _believed(app) else {}),
    }


def hsts(app: App) -> str:
    """For SECURE_HSTS_SECONDS; "" where the spec says nothing."""
    return str(round(seconds(app.expose.hsts))) if app.expose and app.expose.hsts else ""


def largest(app: App) -> str:
    """The largest request in bytes; "" where the spec says nothing."""
    return str(bytes_of(app.expose.body_size)) if app.expose and app.expose.body_size else ""


def _first(app: App) -> str:
    """Where redirects lead: https://host, or //host, which keeps the scheme and the port of the request."""
    assert app.expose is not None  # noqa: S101 - only asked for redirects
    scheme = "https:" if _schemes(app) == ["https"] else ""
    return f"{scheme}//{app.expose.hosts[0]}"


def _believed(app: App) -> bool:
    tls = app.expose.tls if app.expose else None
    return bool(tls and (tls.issuer or tls.secret))
