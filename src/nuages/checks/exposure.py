"""Findings about the ways in: who sends names on, who holds to a size, what a cloud can't give."""

from __future__ import annotations

from collections.abc import Iterator

from nuages.app.components import App
from nuages.findings import Finding, Level, Place
from nuages.render.destinations import destinations
from nuages.render.outside import redirecting
from nuages.render.profiles import ALL_NODES, IDENTITY, ONE_NODE
from nuages.render.proxies import NGINX
from nuages.spec.model import Expose


def check(app: App) -> list[Finding]:
    """Every finding about the exposure; paths are those of the spec."""
    if app.expose is None:
        return []
    return [
        *_redirects(app, app.expose),
        *_size(app, app.expose),
        *_wildcards(app.expose),
        *_profile(app, app.expose),
        *_unreached(app),
    ]


def _redirects(app: App, expose: Expose) -> Iterator[Finding]:
    if expose.redirects and expose.kind != "gateway" and redirecting(app) is None:
        message = "nobody sends them on: each web is a command of the project's own, and an ingress knows no redirect"
        hint = "a web with a server, kind: gateway, or the controller's own way by annotations"
        yield Finding("app.E150", Level.ERROR, message, Place(path="expose.redirects"), hint)


def _size(app: App, expose: Expose) -> Iterator[Finding]:
    """The runtime holds to it, in its own servers; of the controllers only nginx is told."""
    if expose.body_size is None or (expose.kind == "ingress" and expose.class_ in NGINX):
        return
    for key, web in app.web.items():
        if web.command and web.routes:
            message = f"web.{key} is a command of the project's own, which has to hold to it itself"
            yield Finding(
                "app.W151", Level.WARNING, message, Place(path="expose.bodySize"), "a server, or class: nginx"
            )


def _wildcards(expose: Expose) -> Iterator[Finding]:
    """https://letsencrypt.org/docs/challenge-types/: who has a file served proves a name, not all below it."""
    named = [("hosts", index, host) for index, host in enumerate(expose.hosts)]
    named += [("redirects", index, host) for index, host in enumerate(expose.redirects)]
    for field, index, host in named:
        if expose.tls and expose.tls.issuer and host.startswith("*"):
            message = f"an issuer proves {host} by DNS only (DNS-01), never by HTTP"
            hint = f"let {expose.tls.issuer} have a dns01 solver, or name each host"
            yield Finding("app.W152", Level.WARNING, message, Place(path=f"expose.{field}.{index}"), hint)


def _profile(app: App, expose: Expose) -> Iterator[Finding]:
    profile = expose.profile
    if profile is None:
        return
    for name in app.account.annotations:
        if name in IDENTITY.values() and name != IDENTITY.get(profile):
            own = IDENTITY.get(profile)
            hint = own or f"{profile} knows no identities: a Secret with keys"
            message = f"{profile} does not read it, so pods would be nobody there"
            yield Finding("app.W153", Level.WARNING, message, Place(path=f"serviceAccount.annotations.{name}"), hint)
    if profile in ONE_NODE and profile not in ALL_NODES:
        for path in _of_all_nodes(app):
            message = f"ReadWriteMany, and the default class of {profile} has volumes of one node"
            yield Finding(
                "app.W153", Level.WARNING, message, Place(path=path), "storageClass, of one that can; a bucket"
            )


def _of_all_nodes(app: App) -> Iterator[str]:
    """Where volumes stand that pods of several nodes are to mount, of no class in particular."""
    if app.media and app.media.access_mode == "ReadWriteMany" and not app.media.storage_class:
        yield "media.volume.storageClass"
    for key, volume in app.volumes.items():
        if not volume.folder.temporary and not volume.one_node and not volume.folder.storage_class:
            yield f"volumes.{key}.storageClass"


def _unreached(app: App) -> Iterator[Finding]:
    """Of load balancers and ports of nodes processes.py says it: they lead to the web that answers "/"."""
    if app.expose and app.expose.kind in ("ingress", "gateway") and not destinations(app):
        message = "leads nowhere: no web and no front end answers a path from outside"
        hint = 'web: {main: {routes: ["/"]}}, or leave expose out'
        yield Finding("app.E147", Level.ERROR, message, Place(path="expose"), hint)
