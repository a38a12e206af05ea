"""Where each path of the app leads: to a web, a front end, or the nginx that has the static files."""

from __future__ import annotations

from typing import NamedTuple

from nuages.app.build import Build
from nuages.app.components import App
from nuages.render.labels import FRONTEND, STATIC, WEB

FILES_TIMEOUT = 30
"""Seconds that a proxy waits for a file: it is there at once, or not at all."""


class Destination(NamedTuple):
    """One path, and the Service (port `http`, 80) that answers it and all below."""

    route: str
    service: str
    component: str
    key: str
    timeout: int
    """Seconds that a proxy waits for an answer."""


def destinations(app: App, build: Build | None = None) -> list[Destination]:
    """Every path with what it leads to, the longest first: some controllers take the first that matches.

    Where static files are asked for is in no spec but in the settings, so only a build tells.
    https://kubernetes.io/docs/concepts/services-networking/ingress/#path-types: a slash at the end makes no difference.
    """
    found = [
        # The proxy waits a little longer than the server, so that it is the server that says so.
        *(
            Destination(route, web.name, WEB, web.key, web.timing.server + 1)
            for web in app.web.values()
            for route in web.routes
        ),
        *(
            Destination(route, each.name, FRONTEND, each.key, FILES_TIMEOUT)
            for each in app.frontends.values()
            for route in each.frontend.routes
        ),
        *_static(app, build),
    ]
    return sorted(found, key=lambda one: (-len(one.route.rstrip("/")), one.route))


def _static(app: App, build: Build | None) -> list[Destination]:
    if app.static.nginx is None or build is None or build.statics is None:
        return []
    return [Destination(build.statics.path, f"{app.name}-static", STATIC, "", FILES_TIMEOUT)]
