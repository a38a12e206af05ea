"""Findings about data stores: what a service of somebody else's is told, and what it can't be told."""

from __future__ import annotations

from collections.abc import Iterator

from nuages.app import stores
from nuages.app.components import App
from nuages.app.stores import Reached
from nuages.findings import Finding, Level, Place

# Who lets nobody in without saying who it is.
_ASKING = ("postgres", "rabbitmq")


def check(app: App) -> list[Finding]:
    """Every finding about the stores; paths are those of the spec."""
    return [*(finding for store in stores.external(app) for finding in _external(app, store)), *_pooler(app)]


def _external(app: App, store: Reached) -> Iterator[Finding]:
    at = f"services.{store.service}.external"
    if store.service == "memcached":
        yield from _memcached(store, at)
        return
    if store.secret is None and store.service in _ASKING:
        message = f"nothing opens it: {store.service} lets nobody in without a user and a password"
        hint = "secret: NAME of a Secret with the keys user and password; keys says others"
        yield Finding("app.E120", Level.ERROR, message, Place(path=f"{at}.secret"), hint)
    if store.secret is None and app.external[store.service].keys:
        message = "are keys of no Secret"
        yield Finding("app.E122", Level.ERROR, message, Place(path=f"{at}.keys"), "secret: NAME, or leave keys out")
    if store.authority and store.tls != "verify-full":
        message = f"vouches for nobody with tls: {store.tls}"
        yield Finding("app.E122", Level.ERROR, message, Place(path=f"{at}.authority"), "tls: verify-full")
    if store.secret and store.tls == "disable":
        message = "whoever is on the way reads all that is said to it, the password too"
        yield Finding("app.W123", Level.WARNING, message, Place(path=f"{at}.tls"), "tls: verify-full")
    if store.service == "rabbitmq" and store.tls != "disable" and not _told(app):
        message = "Celery is not told of TLS to RabbitMQ: the overlay's part `celery` is off"
        hint = "switch it on, or set broker_use_ssl in the project"
        yield Finding("app.W124", Level.WARNING, message, Place(path="django.overlay.celery"), hint)
    if store.service == "postgres":
        most = sum(each.connections for each in [*app.replicated, *([app.beat] if app.beat else [])])
        message = f"its max_connections is not known here; in the middle of a rollout the app opens up to {most}"
        yield Finding("app.I125", Level.INFO, message, Place(path=at), "it needs as many, and some for its keepers")


def _pooler(app: App) -> Iterator[Finding]:
    """It asks PostgreSQL for what only a superuser may read, and shares out what the others leave."""
    at = "pool.pgbouncer"
    if app.pool.pgbouncer is None:
        return
    if app.pgbouncer is None or app.databases.default is None:
        message = "it stands before a PostgreSQL that nuages runs and that the app's database is in, and there is none"
        hint = "leave it out; whoever runs a PostgreSQL elsewhere often has a pooler of their own: external.host, port"
        yield Finding("app.E126", Level.ERROR, message, Place(path=at), hint)
        return
    if app.pgbouncer.each < 1:
        message = f"no connection is left for its {app.pgbouncer.replicas} pods and one more while rolling out"
        hint = "services.postgres.run.resources.memory: more, or fewer of its replicas"
        yield Finding("app.E127", Level.ERROR, message, Place(path=at), hint)
    if not (app.django.overlay.enabled and app.django.overlay.databases):
        message = "Django is not told that no cursor of the server outlives a transaction: the overlay's part is off"
        hint = "switch it on, or DISABLE_SERVER_SIDE_CURSORS: True in the project's DATABASES"
        yield Finding("app.W128", Level.WARNING, message, Place(path="django.overlay.databases"), hint)


def _memcached(store: Reached, at: str) -> Iterator[Finding]:
    """Django's clients tell it neither who they are, nor anything encrypted."""
    for field, said in (("secret", store.secret), ("tls", store.tls != "disable"), ("authority", store.authority)):
        if said:
            message = "means nothing to Memcached: Django's clients have neither password nor TLS"
            yield Finding("app.E121", Level.ERROR, message, Place(path=f"{at}.{field}"), "leave it out")


def _told(app: App) -> bool:
    return not app.celery or (app.django.overlay.enabled and app.django.overlay.celery)
