"""What ingress controllers are told by annotations, by their class: how long they wait, how much they let in.

A standard Ingress says neither. Controllers that are not here have no limit of their own, or one for all apps that
their own installation sets (docs/guides/exposure.md); the runtime holds to the size whatever the controller does.
"""

from __future__ import annotations

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.render import profiles
from nuages.render.destinations import Destination
from nuages.spec.units import bytes_of

_NGINX = "nginx.ingress.kubernetes.io"
_DNS = ("external-dns.kubernetes.io/hostname", "external-dns.alpha.kubernetes.io/hostname")
"""ExternalDNS changed its prefix with 0.22: either one reads the one that it knows."""

NGINX = frozenset({"nginx", "webapprouting.kubernetes.azure.com"})
"""The classes of ingress-nginx; AKS has it under a name of its own."""


def slowest(found: list[Destination]) -> int:
    """How long a proxy must wait that has one time-out for all paths: as long as the slowest of them."""
    return max((each.timeout for each in found), default=0)


def of_ingress(app: App, found: list[Destination]) -> dict[str, str]:
    """Of an Ingress: its controller's own, the certificate's, the names'; what the spec writes itself comes last."""
    expose = app.expose
    if expose is None:
        return {}
    # https://cert-manager.io/docs/usage/ingress/: it asks for the certificate that tls.secretName names.
    issuer = {"cert-manager.io/cluster-issuer": expose.tls.issuer} if expose.tls and expose.tls.issuer else {}
    return {
        **(issuer),
        **(_nginx(app, found) if expose.class_ in NGINX else {}),
        **profiles.application(app, slowest(found)),
        **names(app),
        **expose.annotations,
    }


def names(app: App) -> dict[str, str]:
    """The names that ExternalDNS shall make known, where it is asked to."""
    expose = app.expose
    if expose is None or not expose.dns:
        return {}
    known = ",".join([*expose.hosts, *expose.redirects])
    return dict.fromkeys(_DNS, known)


def annotated(about: Object, annotations: dict[str, str]) -> Object:
    """Metadata with these annotations, where there are any."""
    return about | {"annotations": about.get("annotations", {}) | annotations} if annotations else about


def _nginx(app: App, found: list[Destination]) -> dict[str, str]:
    """https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/: its own limits are 1 MiB
    and 60 s, of silence; a WebSocket that says nothing for that long is cut.
    """
    size = app.expose.body_size if app.expose else None
    wait = str(slowest(found))
    return {
        **({f"{_NGINX}/proxy-body-size": str(bytes_of(size))} if size else {}),
        f"{_NGINX}/proxy-read-timeout": wait,
        f"{_NGINX}/proxy-send-timeout": wait,
    }
