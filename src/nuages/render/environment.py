"""The environment of the project's containers: a ConfigMap, Secrets by reference, and what the runtime reads.

The ConfigMap is immutable and named by its content, so a change of configuration is a change of the pod template (a
rollout), and pods of the old version, or a rollback, keep the old configuration.
"""

from __future__ import annotations

import hashlib
import json

from nuages.app.components import App, Beat, Web, Worker
from nuages.app.objects import Object
from nuages.render import access, authority, bucket, outside, static_bucket
from nuages.render.labels import CONFIG, WEB, metadata
from nuages.render.release import Release
from nuages.render.static import bridged
from nuages.render.static import name as static_name

METRICS_PORT = 9464
POOLER = "NUAGES_POOLER"
"""The variable of those who go by PgBouncer: how it shares its connections."""

BEAT_FOLDER = "/var/lib/nuages"
_OVERLAY = {
    "hosts": "hosts",
    "proxy": "proxy",
    "secret_key": "secret-key",
    "debug": "debug",
    "databases": "databases",
    "caches": "caches",
    "static": "static",
    "media": "media",
    "logging": "logging",
    "celery": "celery",
}


def config(app: App) -> Object | None:
    """The immutable ConfigMap of the spec's plain variables; None where there are none."""
    values = {name: source.value for name, source in sorted(app.env.items()) if source.value is not None}
    if not values:
        return None
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(app, f"{app.name}-env-{content_hash(values)}", CONFIG),
        "immutable": True,
        "data": values,
    }


def content_hash(values: dict[str, str]) -> str:
    """Ten hexadecimal digits of a mapping's SHA-256, whatever the order of its keys."""
    canonical = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:10]


def sources(app: App, release: Release) -> list[Object]:
    """envFrom: the whole ConfigMap, and this release's immutable copy of all secret variables, whoever keeps them."""
    plain = config(app)
    return [
        *([{"configMapRef": {"name": plain["metadata"]["name"]}}] if plain else []),
        *([{"secretRef": {"name": release.secrets}}] if release.secrets else []),
    ]


def variables(app: App, release: Release, component: str) -> list[Object]:
    """Env: what other objects hold, the services, and what tells the runtime about the project and its place."""
    return [
        *(
            _from(name, "configMapKeyRef", source.config_map, source.key)
            for name, source in sorted(app.env.items())
            if source.config_map
        ),
        *access.services(app, release, component),
        *_written(bucket.variables(app)),
        *_written(
            {
                "DJANGO_SETTINGS_MODULE": app.django.settings or release.build.settings,
                "NUAGES_WSGI": release.build.wsgi,
                "NUAGES_ASGI": release.build.asgi,
                "NUAGES_RELEASE": str(release.template),
                # For projects that show or report it; one that declares its own keeps that.
                "RELEASE": "" if app.declares("RELEASE") else str(release.template),
                "NUAGES_COMPONENT": component,
                POOLER: "transaction" if access.pooled(app, component) else "",
                **settings_variables(app),
                **static_variables(app, release, component),
            }
        ),
    ]


def settings_variables(app: App) -> dict[str, str]:
    """What the overlay adds to the settings by; "" where there is nothing to say. A build asks the project with the
    same, so that what is explained is what pods get.
    """
    return {
        "NUAGES_OVERLAY": overlay(app),
        "NUAGES_HOSTS": outside.hosts(app),
        "NUAGES_ORIGINS": outside.origins(app),
        "NUAGES_PROXY": outside.proxy(app),
        "NUAGES_HSTS": outside.hsts(app),
        "NUAGES_BODY": outside.largest(app),
        "NUAGES_LOGS": app.observability.logs,
        **authority.variables(app),
        **bucket.settings(app),
        "NUAGES_STATIC_URL": static_bucket.address(app),
    }


def static_variables(app: App, release: Release, component: str) -> dict[str, str]:
    """Whom a web asks for static files of other releases, and below what hash pages name those of this one; "" where
    names have hashes of their own.
    """
    files = release.build.statics
    if files is None or not bridged(app, release.build):
        return static_bucket.variables(app, release)
    return {
        "NUAGES_STATIC": f"http://{static_name(app)}" if component == WEB else "",
        "NUAGES_STATIC_TREE": "" if files.hashed else files.tree,
    }


def overlay(app: App) -> str:
    """The parts of the overlay that are on, comma-separated; "" where it is off."""
    wanted = app.django.overlay
    return ",".join(name for field, name in _OVERLAY.items() if wanted.enabled and getattr(wanted, field))


def server_variables(app: App, web: Web) -> list[Object]:
    """What the runtime starts the server with; see app/timing.py and app/connections.py for the numbers."""
    return _written(
        {
            "NUAGES_PORT": str(web.port),
            "NUAGES_WORKERS": str(web.processes.workers),
            "NUAGES_THREADS": str(web.processes.threads),
            "NUAGES_TIMEOUT": str(web.timing.server),
            "NUAGES_GRACEFUL_TIMEOUT": str(web.timing.graceful),
            "NUAGES_INTERFACE": web.interface,
            "NUAGES_SERVER": web.server,
            "NUAGES_POOL": str(web.processes.threads),
            "NUAGES_METRICS_PORT": str(METRICS_PORT) if measured(app, web) else "",
            **outside.front(app),
        }
    )


def command_variables(app: App, web: Web) -> list[Object]:
    """What a web's own command may want to know: PORT is what platforms call it, and gunicorn binds to it unasked."""
    port = {} if app.declares("PORT") else {"PORT": str(web.port)}
    return _written({**port, "NUAGES_POOL": str(web.processes.threads)})


def worker_variables(worker: Worker) -> list[Object]:
    """What the runtime starts a worker with; a command has but its pool of connections."""
    pool = {"NUAGES_POOL": str(worker.pool.per_process)}
    if worker.tasks is not None:
        return _written(
            {
                "NUAGES_TASKS_QUEUES": ",".join(worker.tasks.queues),
                "NUAGES_TASKS_BACKEND": worker.tasks.backend or "",
                "NUAGES_GRACEFUL_TIMEOUT": str(worker.timing.task),
                **pool,
            }
        )
    if worker.celery is None:
        return _written(pool)
    return _written(
        {
            "NUAGES_CELERY_APP": worker.celery.app,
            "NUAGES_CELERY_QUEUES": ",".join(worker.celery.queues),
            "NUAGES_CELERY_POOL": worker.celery.pool,
            "NUAGES_CELERY_CONCURRENCY": str(worker.pool.concurrency),
            "NUAGES_GRACEFUL_TIMEOUT": str(worker.timing.task),
            "NUAGES_SOFT_SHUTDOWN": str(worker.timing.soft),
            **pool,
        }
    )


def beat_variables(beat: Beat) -> list[Object]:
    """What the runtime starts beat with; its schedule is on a volume, for it begins anew where that is lost."""
    return _written(
        {"NUAGES_CELERY_APP": beat.app, "NUAGES_BEAT_SCHEDULE": f"{BEAT_FOLDER}/celerybeat-schedule"},
    )


def measured(app: App, web: Web) -> bool:
    """Whether a web's pods have a port for metrics; one with a command of its own has none of ours."""
    return app.observability.metrics and web.command is None


def _written(values: dict[str, str]) -> list[Object]:
    """Plain variables; what is empty is left out."""
    return [{"name": name, "value": value} for name, value in values.items() if value]


def _from(name: str, kind: str, object_name: str | None, key: str | None) -> Object:
    return {"name": name, "valueFrom": {kind: {"name": object_name, "key": key}}}
