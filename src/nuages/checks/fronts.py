"""Findings about front ends and static files: what is not reached, and what an image does not have."""

from __future__ import annotations

from nuages.app.build import Build
from nuages.app.components import App
from nuages.findings import Finding, Level, Place


def check(app: App, build: Build | None) -> list[Finding]:
    """Every finding about `frontends` and `static`; paths are those of the spec."""
    return [*_reached(app), *(_built(app, build) if build else []), *(_static(app, build) if build else [])]


def _reached(app: App) -> list[Finding]:
    """A load balancer and a node's port lead to one web, whatever the path."""
    if app.expose is None or app.expose.kind not in ("loadBalancer", "nodePort"):
        return []
    message, hint = f"not reached from outside: {app.expose.kind} knows no paths", "kind: ingress or gateway"
    fronts = [f"frontends.{key}.routes" for key in app.frontends]
    files = ["static.nginx"] if app.static.nginx else []
    return [Finding("app.W140", Level.WARNING, message, Place(path=path), hint) for path in [*fronts, *files]]


def _built(app: App, build: Build) -> list[Finding]:
    return [
        Finding(
            "app.E141",
            Level.ERROR,
            "the image was built without this front end",
            Place(path=f"frontends.{key}"),
            "build again, from the spec as it is now",
        )
        for key in app.frontends
        if key not in build.frontends
    ]


def _static(app: App, build: Build) -> list[Finding]:
    if app.static.nginx is None or build.statics is not None:
        return []
    message = "the project has no static files here: no STATIC_ROOT, or a STATIC_URL on another host"
    return [Finding("app.W142", Level.WARNING, message, Place(path="static.nginx"), "leave it out")]
