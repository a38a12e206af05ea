"""Findings about an app: what is declared well and can't work together."""

from __future__ import annotations

from nuages.app.build import Build
from nuages.app.components import App
from nuages.app.connections import REDIS_CLIENTS, Budget, budget
from nuages.checks import exposure, folders, fronts, keeping, processes, tasks, walls
from nuages.checks.stores import check as stores
from nuages.findings import Finding, Level, Place
from nuages.render.storage import shared


def check(app: App, build: Build | None = None) -> list[Finding]:
    """Every finding about the app itself, and with a build about both together; paths are those of its spec."""
    return [
        *_connections(app),
        *_clients(app),
        *_media(app),
        *_one_replica(app),
        *processes.check(app, build),
        *tasks.check(app),
        *stores(app),
        *folders.check(app, build),
        *walls.check(app, build),
        *fronts.check(app, build),
        *exposure.check(app),
        *keeping.check(app),
        *(_uploads(app, build) if build else []),
        *(_gates(app, build) if build else []),
    ]


def _gates(app: App, build: Build) -> list[Finding]:
    """What the image said of its migrations when it was built, but for what the spec lets pass."""
    return [
        Finding(gate.id, Level(gate.level), gate.message, Place(path=gate.place), gate.hint)
        for gate in build.gates
        if gate.id not in app.django.checks.ignore
    ]


def _connections(app: App) -> list[Finding]:
    if app.max_connections is None:
        return []
    needed = budget([one.connections for one in app.connected], app.max_connections, app.passing)
    if needed.fits:
        return []
    return [
        Finding(
            "app.E101",
            Level.ERROR,
            f"{_sum(app, needed)}, more than the {needed.available} that its memory allows",
            Place(path=app.memory),
            f"memory: {needed.memory_megabytes}Mi, or fewer replicas; a thread that waits for a connection is an error",
        )
    ]


def _clients(app: App) -> list[Finding]:
    """As for the database: what no longer gets in at Redis is an error in the middle of a rollout."""
    wanted = sum(component.clients for component in app.replicated)
    if app.redis is None or wanted <= REDIS_CLIENTS:
        return []
    each = " + ".join(f"{component.clients} of {component.name}" for component in app.replicated)
    message = f"{each} = {wanted} clients while rolling out, more than the {REDIS_CLIENTS} that it lets in"
    place = Place(path="services.redis.run")
    return [Finding("app.E118", Level.ERROR, message, place, "fewer replicas, processes or tasks at once")]


def _sum(app: App, needed: Budget) -> str:
    """How the number came about, so that a reader can see which factor to change."""
    beat = [f"{app.beat.connections} of beat"] if app.beat else []
    if pooler := app.pgbouncer:
        parts = [f"({pooler.replicas} + {pooler.surge} while rolling out) x {pooler.each} of pgbouncer", *beat]
        return f"{' + '.join(parts)} + {needed.beside} beside = {needed.wanted} connections"
    parts = [
        *(
            f"({web.most} + {web.surge} while rolling out) x {web.processes.workers} x {web.processes.threads}"
            for web in app.web.values()
        ),
        *(
            f"({worker.most} + {worker.most} while old ones end) x {worker.pool.connections}"
            for worker in app.workers.values()
        ),
        *beat,
    ]
    return f"{' + '.join(parts)} + {needed.beside} beside = {needed.wanted} connections"


def _media(app: App) -> list[Finding]:
    if app.media is None or shared(app.media):
        return []
    place = Place(path="media.volume.accessMode")
    if sum(component.most for component in app.replicated) > 1:
        message = "ReadWriteOnce is one node's, and several replicas write uploads"
        return [Finding("app.E102", Level.ERROR, message, place, "ReadWriteMany, or one replica")]
    message = "with ReadWriteOnce a release stops the old pod before the new one starts"
    return [Finding("app.W103", Level.WARNING, message, place, "ReadWriteMany rolls out without a gap")]


def _uploads(app: App, build: Build) -> list[Finding]:
    """The volume goes where the project says it keeps uploads; neither makes sense without the other."""
    if app.media and build.media_root is None:
        message = "a volume for uploads, and the project has no MEDIA_ROOT: nothing would be kept on it"
        return [
            Finding("app.E105", Level.ERROR, message, Place(path="media.volume"), "set MEDIA_ROOT, or leave media out")
        ]
    if build.media_root and app.media is None and app.bucket is None and not folders.kept(app, build, build.media_root):
        message = f"the project keeps uploads in {build.media_root}, which is read-only without a volume"
        return [Finding("app.W106", Level.WARNING, message, Place(path="media"), "media: {volume: {size: 5Gi}}")]
    return []


def _one_replica(app: App) -> list[Finding]:
    return [
        Finding(
            "app.I104",
            Level.INFO,
            "one replica: a node that is drained, or fails, takes the site with it for some seconds",
            Place(path=f"web.{web.key}.replicas"),
            "2 or more where that matters",
        )
        for web in app.web.values()
        if (web.autoscale.min if web.autoscale else web.replicas) == 1
    ]
