"""The environment of the project's containers: a ConfigMap, Secrets by reference, and what the runtime reads.

The ConfigMap is immutable and named by its content, so a change of configuration is a change of the pod template (a
rollout), and pods of the old version, or a rollback, keep the old configuration.
"""

from __future__ import annotations

import hashlib
import json

from nuages.app.components import App, Web
from nuages.app.objects import Object
from nuages.render.labels import CONFIG, metadata
from nuages.render.postgres import PASSWORD_KEY, PORT, USER
from nuages.render.release import Release

HTTP_PORT = 8000


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


def variables(app: App, release: Release) -> list[Object]:
    """Env: what other objects hold, the database, and what tells the runtime about the project."""
    return [
        *(
            _from(name, "configMapKeyRef", source.config_map, source.key)
            for name, source in sorted(app.env.items())
            if source.config_map
        ),
        *_database(app),
        {"name": "DJANGO_SETTINGS_MODULE", "value": app.django.settings or release.build.settings},
        {"name": "NUAGES_WSGI", "value": release.build.wsgi},
        {"name": "NUAGES_RELEASE", "value": str(release.template)},
        *_release(app, release),
    ]


def _release(app: App, release: Release) -> list[Object]:
    """RELEASE, for projects that show or report it; one that declares its own keeps that."""
    if "RELEASE" in app.env or "RELEASE" in app.secrets:
        return []
    return [{"name": "RELEASE", "value": str(release.template)}]


def server_variables(web: Web) -> list[Object]:
    """What the runtime starts the server with; see app/timing.py and app/connections.py for the numbers."""
    return [
        {"name": "NUAGES_PORT", "value": str(HTTP_PORT)},
        {"name": "NUAGES_WORKERS", "value": str(web.processes.workers)},
        {"name": "NUAGES_THREADS", "value": str(web.processes.threads)},
        {"name": "NUAGES_TIMEOUT", "value": str(web.timing.server)},
        {"name": "NUAGES_GRACEFUL_TIMEOUT", "value": str(web.timing.graceful)},
    ]


def _from(name: str, kind: str, object_name: str | None, key: str | None) -> Object:
    return {"name": name, "valueFrom": {kind: {"name": object_name, "key": key}}}


def _database(app: App) -> list[Object]:
    """DATABASE_URL; the password stays in its Secret, and the kubelet puts it in (dependent variables).

    https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/
    It is generated from URL-safe characters, so nothing needs escaping.
    """
    if app.postgres is None or app.databases.default is None:
        return []
    name = app.postgres.name
    return [
        _from("POSTGRES_PASSWORD", "secretKeyRef", name, PASSWORD_KEY),
        {"name": "DATABASE_URL", "value": f"postgres://{USER}:$(POSTGRES_PASSWORD)@{name}:{PORT}/{app.name}"},
    ]
