"""Redis in the cluster: one pod. A cache in memory, or, where workers take their tasks from it, a store with a volume.

Valkey is what Redis was until its licence changed: the same protocol, arguments and files under names of its own.

https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/: the append-only file, synced every second,
loses a second at most. What may go when memory is full (maxmemory-policy): everything of a cache, but beside tasks only
what has an end of its own, for a task that is forgotten is never run.
"""

from __future__ import annotations

from nuages.app.components import App, Redis
from nuages.app.objects import Object
from nuages.app.stores import PORTS
from nuages.render.labels import REDIS, labels, metadata, selector
from nuages.render.pods import (
    cluster_ip,
    container_security,
    disruption_budget,
    pod_basics,
    resources,
    temporary,
    temporary_mount,
)
from nuages.spec.units import canonical_memory

PORT = PORTS["redis"]
PASSWORD_KEY = "password"  # noqa: S105 - the key's name
# The user `redis` of the official Debian images.
UID = 999
VOLUME = "/data"
GRACE_SECONDS = 60
# The password goes in by standard input: an argument could be read from the list of processes.
_START = 'exec {engine}-server "$@" - <<END\nrequirepass $REDIS_PASSWORD\nEND'
_IMAGES = {"redis": "docker.io/library/redis", "valkey": "docker.io/valkey/valkey"}


# valkey-cli reads the name that redis-cli reads, too; its own since version 8.1.
_CLIENT = {"redis": ("REDISCLI_AUTH",), "valkey": ("REDISCLI_AUTH", "VALKEYCLI_AUTH")}


def redis(app: App) -> list[Object]:
    """All objects of the app's Redis, in order; none where it has none. Its Secret is in secrets.py."""
    if app.redis is None:
        return []
    return [
        cluster_ip(metadata(app, app.redis.name, REDIS), selector(app, REDIS), "redis", PORT),
        _stateful_set(app, app.redis),
        disruption_budget(metadata(app, app.redis.name, REDIS), selector(app, REDIS)),
    ]


def settings(service: Redis) -> list[str]:
    """The server's arguments, all but the password."""
    kept = {"appendonly": "yes", "appendfsync": "everysec"} if service.storage else {"appendonly": "no"}
    named = {
        "port": str(PORT),
        "dir": VOLUME,
        "save": "",
        **kept,
        "maxmemory": str(service.max_memory),
        "maxmemory-policy": "volatile-lru" if service.broker else "allkeys-lru",
    }
    return [word for name, value in named.items() for word in (f"--{name}", value)]


def _stateful_set(app: App, service: Redis) -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": metadata(app, service.name, REDIS, data=service.storage is not None),
        "spec": {
            "serviceName": service.name,
            "replicas": 1,
            "revisionHistoryLimit": 5,
            # In order, a broken pod would never give way to the mended one; of one pod there is no order.
            "podManagementPolicy": "Parallel",
            "selector": {"matchLabels": selector(app, REDIS)},
            "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
            "template": {"metadata": {"labels": labels(app, REDIS)}, "spec": _pod(app, service)},
            **({"volumeClaimTemplates": [_claim(app, service.storage)]} if service.storage else {}),
        },
    }


def _claim(app: App, size: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "labels": labels(app, REDIS), "annotations": {"nuages.dev/data": "true"}},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": canonical_memory(size)}},
        },
    }


def _pod(app: App, service: Redis) -> Object:
    password = {"secretKeyRef": {"name": service.name, "key": PASSWORD_KEY}}
    return {
        **pod_basics(app, user=UID, account=app.name),
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "containers": [
            {
                "name": "redis",
                "image": f"{_IMAGES[service.run.engine]}:{service.run.version}",
                "imagePullPolicy": "IfNotPresent",
                "command": ["sh", "-c", _START.format(engine=service.run.engine), service.run.engine],
                "args": settings(service),
                "env": [
                    {"name": "REDIS_PASSWORD", "valueFrom": password},
                    # What its client reads it from, in the probes and for a person.
                    *({"name": name, "valueFrom": password} for name in _CLIENT[service.run.engine]),
                ],
                "ports": [{"name": "redis", "containerPort": PORT, "protocol": "TCP"}],
                **_probes(service),
                "resources": resources(service.run.resources),
                "securityContext": container_security(),
                "volumeMounts": [{"name": "data", "mountPath": VOLUME}, temporary_mount()],
            }
        ],
        "volumes": [*([] if service.storage else [{"name": "data", "emptyDir": {"sizeLimit": "16Mi"}}]), temporary()],
    }


def _probes(service: Redis) -> Object:
    """-e makes an error an exit code: while it loads its file it answers, but with one."""
    ready = {"exec": {"command": [f"{service.run.engine}-cli", "-e", "ping"]}}
    return {
        "startupProbe": {**ready, "periodSeconds": 2, "timeoutSeconds": 5, "failureThreshold": 150},
        "readinessProbe": {**ready, "periodSeconds": 5, "timeoutSeconds": 5, "failureThreshold": 2},
        "livenessProbe": {**ready, "periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 6},
    }
