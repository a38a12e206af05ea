"""Findings about an app: what is declared well and can't work together."""

from __future__ import annotations

from nuages.app.components import App
from nuages.app.connections import Budget, budget
from nuages.findings import Finding, Level, Place
from nuages.render.storage import shared


def check(app: App) -> list[Finding]:
    """Every finding about the app itself; paths are those of its spec."""
    return [*_connections(app), *_media(app), *_one_replica(app)]


def _connections(app: App) -> list[Finding]:
    if app.postgres is None:
        return []
    needed = budget(
        [(web.replicas, web.surge, web.processes) for web in app.web.values()], app.postgres.max_connections
    )
    if needed.fits:
        return []
    return [
        Finding(
            "app.E101",
            Level.ERROR,
            f"{_sum(app, needed)}, more than the {needed.available} that its memory allows",
            Place(path="services.postgres.run.resources.memory"),
            f"memory: {needed.memory_megabytes}Mi, or fewer replicas; a thread that waits for a connection is an error",
        )
    ]


def _sum(app: App, needed: Budget) -> str:
    """How the number came about, so that a reader can see which factor to change."""
    parts = [
        f"({web.replicas} + {web.surge} while rolling out) x {web.processes.workers} x {web.processes.threads}"
        for web in app.web.values()
    ]
    return f"{' + '.join(parts)} + {needed.beside} beside = {needed.wanted} connections"


def _media(app: App) -> list[Finding]:
    if app.media is None or shared(app.media.volume):
        return []
    place = Place(path="media.volume.accessMode")
    if sum(web.replicas for web in app.web.values()) > 1:
        message = "ReadWriteOnce is one node's, and several replicas write uploads"
        return [Finding("app.E102", Level.ERROR, message, place, "ReadWriteMany, or one replica")]
    message = "with ReadWriteOnce a release stops the old pod before the new one starts"
    return [Finding("app.W103", Level.WARNING, message, place, "ReadWriteMany rolls out without a gap")]


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
        if web.replicas == 1
    ]
