"""What everything else stands on: the namespace, and the account the pods run under."""

from __future__ import annotations

from nuages.app import stores
from nuages.app.components import App
from nuages.app.objects import Object
from nuages.render.labels import (
    BACKUP,
    BEAT,
    CONFIG,
    ENVIRONMENT,
    EXPORTER,
    FRONTEND,
    JOB,
    MANAGER,
    MEMCACHED,
    MIGRATE,
    PGBOUNCER,
    POSTGRES,
    RABBITMQ,
    REDIS,
    RUN,
    SCHEDULE,
    STATIC,
    TEMPLATE,
    WEB,
    WORKER,
    metadata,
)

_POD_SECURITY = "pod-security.kubernetes.io"
_PROJECT = (WEB, WORKER, BEAT, MIGRATE, RUN, SCHEDULE, JOB, STATIC)
_STORES = {POSTGRES, REDIS, RABBITMQ, MEMCACHED}
# They open no bucket: a cloud shall not know them.
_STRANGERS = {*_STORES, PGBOUNCER, EXPORTER, FRONTEND}


def namespace(app: App) -> Object:
    """The namespace, which admits only pods that keep to `restricted`. It holds data, so nothing prunes it."""
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": app.namespace,
            "labels": {
                "app.kubernetes.io/part-of": app.name,
                "app.kubernetes.io/managed-by": MANAGER,
                ENVIRONMENT: app.environment,
                **({TEMPLATE: app.template} if app.template else {}),
                **{f"{_POD_SECURITY}/{mode}": "restricted" for mode in ("enforce", "audit", "warn")},
            },
            "annotations": {"nuages.dev/data": "true"},
        },
    }


def accounts(app: App) -> list[Object]:
    """An account without any right for each component: `default` may be given some by others, and a cloud that knows
    pods by their account lets a data store in nowhere.

    Those of the project are there whether or not the app has them now: pods that a release leaves behind may have to
    be made anew. What holds data stands on its own for as long as there is data, whatever the spec says.
    """
    beside = {
        POSTGRES: app.postgres,
        PGBOUNCER: app.pgbouncer,
        EXPORTER: stores.exported(app),
        REDIS: app.redis,
        RABBITMQ: app.rabbitmq,
        MEMCACHED: app.memcached,
        FRONTEND: app.frontends,
        BACKUP: app.postgres and app.postgres.run.backup,
    }
    # What earlier versions made runs under the account that is called like the app; so does what a person starts.
    return [
        _account(app, app.name, CONFIG),
        *(_account(app, account_of(app, one), one) for one in _PROJECT),
        *(_account(app, account_of(app, one), one) for one, wanted in beside.items() if wanted),
    ]


def account_of(app: App, component: str) -> str:
    """What the account of a component's pods is called: `blog-web`."""
    return f"{app.name}-{component}"


def _account(app: App, name: str, component: str) -> Object:
    about = metadata(app, name, component, data=component in _STORES)
    annotations = {} if component in _STRANGERS else app.account.annotations
    merged = {**about.get("annotations", {}), **annotations}
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": about | ({"annotations": merged} if merged else {}),
        "automountServiceAccountToken": False,
    }
