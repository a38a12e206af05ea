"""App and release in, everything that is applied out, in order."""

from __future__ import annotations

from nuages.app.components import App
from nuages.render.environment import config
from nuages.render.exposure import exposure
from nuages.render.foundation import account, namespace
from nuages.render.jobs import migrate
from nuages.render.network import policies
from nuages.render.postgres import postgres
from nuages.render.release import Manifest, Release
from nuages.render.storage import media
from nuages.render.web import web

__all__ = ["Manifest", "Release", "namespace", "render"]


def render(app: App, release: Release) -> Manifest:
    """The same app and release give the same objects, byte for byte once written."""
    plain = config(app)
    return Manifest(
        foundation=[
            namespace(app),
            account(app),
            *policies(app),
            *([plain] if plain else []),
            *media(app),
        ],
        services=postgres(app),
        expand=migrate(app, release),
        web=[made for component in app.web.values() for made in web(app, component, release)],
        exposure=exposure(app),
    )
