"""What Prometheus is told of PostgreSQL and Redis: a small pod beside each, which asks it and answers in its words.

Beside it and not in its pod, so that no exporter's new version restarts a database. RabbitMQ has its own, on a port
that the walls keep closed.

https://github.com/prometheus-community/postgres_exporter, https://github.com/oliver006/redis_exporter
"""

from __future__ import annotations

from typing import NamedTuple

from nuages.app import stores
from nuages.app.components import App
from nuages.app.objects import Object
from nuages.app.stores import EXPORTERS
from nuages.render.labels import EXPORTER, labels, metadata, selector
from nuages.render.pods import container_security, pod_basics

IMAGES = {
    "postgres": "quay.io/prometheuscommunity/postgres-exporter:v0.17.1",
    "redis": "docker.io/oliver006/redis_exporter:v1.83.0",
}
# `nobody`: they read and write no file.
UID = 65534
# What those look for that collect by annotations; a PodMonitor finds it by its labels.
_SCRAPED = {"prometheus.io/scrape": "true", "prometheus.io/path": "/metrics"}


class _Told(NamedTuple):
    """A variable, and its value or the key of the store's Secret below which it lies."""

    name: str
    value: str = ""
    key: str = ""


def exporters(app: App) -> list[Object]:
    """Those of the app's data stores that have one."""
    return [_deployment(app, service) for service in stores.exported(app)]


def name(app: App, service: str) -> str:
    """What it is called: `blog-postgres-exporter`."""
    return f"{app.name}-{service}-exporter"


def _deployment(app: App, service: str) -> Object:
    about = labels(app, EXPORTER, service)
    annotations = {**_SCRAPED, "prometheus.io/port": str(EXPORTERS[service])}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(app, name(app, service), EXPORTER, service),
        "spec": {
            "replicas": 1,
            "revisionHistoryLimit": 5,
            "progressDeadlineSeconds": 600,
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": selector(app, EXPORTER, service)},
            "template": {"metadata": {"labels": about, "annotations": annotations}, "spec": _pod(app, service)},
        },
    }


def _pod(app: App, service: str) -> Object:
    answers = {"httpGet": {"path": "/", "port": "metrics"}}
    return {
        **pod_basics(app, user=UID, account=app.name),
        "terminationGracePeriodSeconds": 10,
        "containers": [
            {
                "name": "exporter",
                "image": IMAGES[service],
                "imagePullPolicy": "IfNotPresent",
                "env": [_variable(app, service, told) for told in _told(app, service)],
                "ports": [{"name": "metrics", "containerPort": EXPORTERS[service], "protocol": "TCP"}],
                "readinessProbe": {**answers, "periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 3},
                "livenessProbe": {**answers, "periodSeconds": 20, "timeoutSeconds": 5, "failureThreshold": 3},
                "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "64Mi"}},
                "securityContext": container_security(),
            }
        ],
    }


def _told(app: App, service: str) -> list[_Told]:
    store = stores.reached(app, service)
    at = f"{store.host}:{store.port}" if store else ""
    if service == "redis":
        # Else whoever reaches it names another server by /scrape, and is sent the password; or a key, and is told its
        # value (https://github.com/oliver006/redis_exporter/issues/1104).
        shut = ("REDIS_EXPORTER_DISABLE_SCRAPE_ENDPOINT", "REDIS_EXPORTER_DISABLE_EXPORTING_KEY_VALUES")
        return [
            _Told("REDIS_ADDR", f"redis://{at}"),
            _Told("REDIS_PASSWORD", key="password"),
            *(_Told(name, "true") for name in shut),
        ]
    return [
        _Told("DATA_SOURCE_URI", f"{at}/{app.name}?sslmode=disable"),
        _Told("DATA_SOURCE_USER", key="user"),
        _Told("DATA_SOURCE_PASS", key="password"),
    ]


def _variable(app: App, service: str, told: _Told) -> Object:
    if told.key:
        kept = {"name": f"{app.name}-{service}", "key": told.key}
        return {"name": told.name, "valueFrom": {"secretKeyRef": kept}}
    return {"name": told.name, "value": told.value}
