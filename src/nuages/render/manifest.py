"""App and release in, everything that is applied out, in order."""

from __future__ import annotations

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.render import backup
from nuages.render.access_roles import roles
from nuages.render.beat import beat
from nuages.render.canary import beside
from nuages.render.cloudnativepg import cloudnativepg
from nuages.render.environment import config
from nuages.render.exporter import exporters
from nuages.render.exposure import exposure
from nuages.render.extras import finished, whole
from nuages.render.files import files
from nuages.render.foundation import accounts, namespace
from nuages.render.frontends import frontends
from nuages.render.hooks import hooks
from nuages.render.jobs import contract, migrate, settle
from nuages.render.maintenance import maintenance
from nuages.render.memcached import memcached
from nuages.render.network import policies
from nuages.render.others import others
from nuages.render.pgbouncer import pgbouncer
from nuages.render.postgres import postgres
from nuages.render.profiles import identified
from nuages.render.quota import quota
from nuages.render.rabbitmq import rabbitmq
from nuages.render.redis import redis
from nuages.render.release import Manifest, Release
from nuages.render.schedules import schedules
from nuages.render.static import static
from nuages.render.static_bucket import upload
from nuages.render.storage import folders, media
from nuages.render.web import web
from nuages.render.workers import worker

__all__ = ["Manifest", "Release", "namespace", "render", "services"]


def render(app: App, release: Release) -> Manifest:
    """The same app and release give the same objects, byte for byte once written."""
    return finished(app, identified(app, _built(app, release)))


def _built(app: App, release: Release) -> Manifest:
    """What each part makes by itself."""
    plain = config(app)
    webs = [made for component in app.web.values() for made in web(app, component, release)]
    workers = [made for component in app.workers.values() for made in worker(app, component, release)]
    return Manifest(
        foundation=[
            namespace(app),
            *accounts(app),
            *roles(app),
            *quota(app),
            *policies(app, release.build),
            *([plain] if plain else []),
            *files(app),
            *media(app),
            *folders(app),
            *backup.volume(app),
            *others(app),
        ],
        services=services(app),
        static=[*static(app, release), *upload(app, release)],
        maintenance=maintenance(app, release),
        expand=migrate(app, release),
        canary=beside(app, release, webs, workers),
        web=webs,
        exposure=exposure(app, release.build),
        workers=workers,
        beat=beat(app, release),
        frontends=frontends(app, release),
        schedules=[*schedules(app, release), *backup.schedule(app, release.build.reference)],
        settle=settle(app, release),
        contract=contract(app, release),
        hooks=hooks(app, release, [*webs, *workers]),
    )


def services(app: App) -> list[Object]:
    """The data stores that run in the cluster."""
    sql = [*postgres(app), *cloudnativepg(app), *pgbouncer(app)]
    return whole(app, [*sql, *redis(app), *rabbitmq(app), *memcached(app), *exporters(app)])
