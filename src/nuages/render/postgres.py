"""PostgreSQL in the cluster: one pod, one volume, the official image's own contract.

https://hub.docker.com/_/postgres: POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB make the database at the first start;
PGDATA is a folder below the volume, because a volume's root may hold lost+found, and initdb wants an empty one.
"""

from __future__ import annotations

from nuages.app.components import App, Postgres
from nuages.app.objects import Object
from nuages.app.stores import PORTS
from nuages.render.labels import POSTGRES, labels, metadata, selector
from nuages.render.pods import (
    cluster_ip,
    container_security,
    disruption_budget,
    from_secret,
    pod_basics,
    resources,
    temporary,
    temporary_mount,
)
from nuages.spec.units import bytes_of, canonical_memory

PORT = PORTS["postgres"]
# Who owns all that is in the database, and whom processes log in as until the password is rotated for the first time:
# their user and its password are both in the Secret.
USER = "app"
USER_KEY = "user"
PASSWORD_KEY = "password"  # noqa: S105 - the key's name
# The user `postgres` of the official Debian images.
UID = 999
VOLUME = "/var/lib/postgresql/data"
PGDATA = f"{VOLUME}/pgdata"
# Fast shutdown rolls back and writes a checkpoint; half a minute is plenty for one, SIGKILL means recovery at start.
GRACE_SECONDS = 60


def postgres(app: App) -> list[Object]:
    """All objects of the app's PostgreSQL, in order; none where it has none. Its Secret is in secrets.py."""
    if app.postgres is None:
        return []
    return [
        cluster_ip(metadata(app, app.postgres.name, POSTGRES), selector(app, POSTGRES), "postgres", PORT),
        _stateful_set(app, app.postgres),
        disruption_budget(metadata(app, app.postgres.name, POSTGRES), selector(app, POSTGRES)),
    ]


def _stateful_set(app: App, service: Postgres) -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": metadata(app, service.name, POSTGRES, data=True),
        "spec": {
            "serviceName": service.name,
            "replicas": 1,
            "revisionHistoryLimit": 5,
            "selector": {"matchLabels": selector(app, POSTGRES)},
            # The volume outlives everything: deleting or scaling the set leaves it.
            "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
            "template": {"metadata": {"labels": labels(app, POSTGRES)}, "spec": _pod(app, service)},
            "volumeClaimTemplates": [
                {
                    # Named in full: the API server would add them, and a diff should show what a person changed.
                    "apiVersion": "v1",
                    "kind": "PersistentVolumeClaim",
                    "metadata": {
                        "name": "data",
                        "labels": labels(app, POSTGRES),
                        "annotations": {"nuages.dev/data": "true"},
                    },
                    "spec": {
                        "accessModes": ["ReadWriteOnce"],
                        "resources": {"requests": {"storage": canonical_memory(service.run.storage)}},
                        **({"storageClassName": service.run.storage_class} if service.run.storage_class else {}),
                    },
                }
            ],
        },
    }


def _pod(app: App, service: Postgres) -> Object:
    return {
        **pod_basics(app, user=UID, account=app.name),
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "containers": [
            {
                "name": "postgres",
                "image": f"docker.io/library/postgres:{service.run.version}",
                "imagePullPolicy": "IfNotPresent",
                "args": settings(service),
                "env": [
                    {"name": "POSTGRES_USER", "value": USER},
                    {"name": "POSTGRES_DB", "value": app.name},
                    from_secret("POSTGRES_PASSWORD", service.name, PASSWORD_KEY),
                    {"name": "POSTGRES_INITDB_ARGS", "value": "--auth-host=scram-sha-256 --data-checksums"},
                    {"name": "PGDATA", "value": PGDATA},
                ],
                "ports": [{"name": "postgres", "containerPort": PORT, "protocol": "TCP"}],
                **_probes(app),
                "resources": resources(service.run.resources),
                "securityContext": container_security(),
                "volumeMounts": [
                    {"name": "data", "mountPath": VOLUME},
                    {"name": "run", "mountPath": "/var/run/postgresql"},
                    {"name": "shm", "mountPath": "/dev/shm"},  # noqa: S108 - the container's own
                    temporary_mount(),
                ],
            }
        ],
        "volumes": [
            {"name": "run", "emptyDir": {"sizeLimit": "16Mi"}},
            # Parallel queries share memory here; a container gets 64 MiB otherwise, and they fail beyond.
            {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": f"{_megabytes(service) // 4}Mi"}},
            temporary(),
        ],
    }


def settings(service: Postgres) -> list[str]:
    """The server's arguments."""
    tuned = {**parameters(_megabytes(service), service.max_connections), "password_encryption": "scram-sha-256"}
    return [argument for name, value in tuned.items() for argument in ("-c", f"{name}={value}")]


def parameters(megabytes: int, max_connections: int) -> dict[str, str]:
    """What a server is told, derived from its memory.

    shared_buffers a quarter (https://www.postgresql.org/docs/current/runtime-config-resource.html);
    effective_cache_size three quarters, what shared buffers and the page cache may hold; work_mem so that all
    connections together can't take more than a quarter; maintenance_work_mem a sixteenth, for the autovacuum workers
    that run beside.
    """
    return {
        "max_connections": str(max_connections),
        "shared_buffers": f"{max(16, megabytes // 4)}MB",
        "effective_cache_size": f"{max(32, megabytes * 3 // 4)}MB",
        "work_mem": f"{max(1, megabytes // 4 // max_connections)}MB",
        "maintenance_work_mem": f"{max(16, megabytes // 16)}MB",
    }


def _megabytes(service: Postgres) -> int:
    return bytes_of(service.run.resources.memory) // 1024**2


def _probes(app: App) -> Object:
    """pg_isready over TCP: at the first start the image runs a server on the socket only, which is not ready yet."""
    ready = {"exec": {"command": ["pg_isready", "-h", "127.0.0.1", "-U", USER, "-d", app.name]}}
    return {
        # Five minutes for recovery after a crash; a restart in the middle of it would begin it anew.
        "startupProbe": {**ready, "periodSeconds": 2, "timeoutSeconds": 5, "failureThreshold": 150},
        "readinessProbe": {**ready, "periodSeconds": 5, "timeoutSeconds": 5, "failureThreshold": 2},
        "livenessProbe": {**ready, "periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 6},
    }
