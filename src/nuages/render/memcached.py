"""Memcached in the cluster: one pod; what it holds is gone with it.

https://github.com/memcached/memcached/wiki/ConfiguringServer. It asks nobody who they are: that nobody but the app
reaches it is what the walls are for.
"""

from __future__ import annotations

from nuages.app.components import App, Memcached
from nuages.app.objects import Object
from nuages.app.stores import MEMCACHED_CLIENTS, PORTS, megabytes
from nuages.render.labels import MEMCACHED, labels, metadata, selector
from nuages.render.pods import cluster_ip, container_security, disruption_budget, pod_basics, resources

PORT = PORTS["memcached"]
# The user `memcache` of the official images.
UID = 11211
GRACE_SECONDS = 10
# There is one major version, and its minor ones are what is told apart.
_VERSIONS = {"1": "1.6"}


def memcached(app: App) -> list[Object]:
    """All objects of the app's Memcached, in order; none where it has none."""
    if app.memcached is None:
        return []
    return [
        cluster_ip(metadata(app, app.memcached.name, MEMCACHED), selector(app, MEMCACHED), "memcached", PORT),
        _deployment(app, app.memcached),
        disruption_budget(metadata(app, app.memcached.name, MEMCACHED), selector(app, MEMCACHED)),
    ]


def settings(service: Memcached) -> list[str]:
    """The server's arguments: megabytes, connections, port."""
    return ["-m", str(megabytes(service)), "-c", str(MEMCACHED_CLIENTS), "-p", str(PORT)]


def _deployment(app: App, service: Memcached) -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(app, service.name, MEMCACHED),
        "spec": {
            "replicas": 1,
            "revisionHistoryLimit": 5,
            "progressDeadlineSeconds": 600,
            # Of two at once each would know another half, and one of them what is long out of date.
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": selector(app, MEMCACHED)},
            "template": {"metadata": {"labels": labels(app, MEMCACHED)}, "spec": _pod(app, service)},
        },
    }


def _pod(app: App, service: Memcached) -> Object:
    version = service.run.version
    opened = {"tcpSocket": {"port": "memcached"}}
    return {
        **pod_basics(app, user=UID, account=app.name),
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "containers": [
            {
                "name": "memcached",
                "image": f"docker.io/library/memcached:{_VERSIONS.get(version, version)}",
                "imagePullPolicy": "IfNotPresent",
                "args": settings(service),
                "ports": [{"name": "memcached", "containerPort": PORT, "protocol": "TCP"}],
                "startupProbe": {**opened, "periodSeconds": 1, "timeoutSeconds": 5, "failureThreshold": 60},
                "readinessProbe": {**opened, "periodSeconds": 5, "timeoutSeconds": 5, "failureThreshold": 2},
                "livenessProbe": {**opened, "periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 6},
                "resources": resources(service.run.resources),
                "securityContext": container_security(),
            }
        ],
    }
