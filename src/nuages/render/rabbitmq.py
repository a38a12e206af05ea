"""RabbitMQ in the cluster: one node whose name never changes, one volume that no release ever deletes.

A node finds its data by its own name (https://www.rabbitmq.com/docs/clustering#node-names), so it is one that no pod's
name or address is in. It is a cluster of one: Erlang's own ports are bound to the pod's loopback, and its tools share
its cookie there.
"""

from __future__ import annotations

from nuages.app.components import App, RabbitMQ
from nuages.app.objects import Object
from nuages.app.stores import PORTS, consumer_timeout, disk_reserve, watermark
from nuages.render.labels import RABBITMQ, labels, metadata, selector
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
from nuages.spec.units import canonical_memory

PORT = PORTS["rabbitmq"]
USER = "app"
PASSWORD_KEY, COOKIE_KEY = "password", "cookie"
NODE = "rabbit@localhost"
# The user `rabbitmq` of the official Debian images.
UID = 999
VOLUME = "/var/lib/rabbitmq"
# It writes what it has in memory to its volume before it ends; killed, it looks through its files at the next start.
GRACE_SECONDS = 120
_CONFIG = "/tmp/rabbitmq.conf"  # noqa: S108 - the container's own
# Its settings are arguments, one a line, so that a change of one is a change of the pod that a person can read.
_START = f"printf '%s\\n' \"$@\" > {_CONFIG} && exec docker-entrypoint.sh rabbitmq-server"


def rabbitmq(app: App) -> list[Object]:
    """All objects of the app's RabbitMQ, in order; none where it has none. Its Secret is in secrets.py."""
    if app.rabbitmq is None:
        return []
    return [
        cluster_ip(metadata(app, app.rabbitmq.name, RABBITMQ), selector(app, RABBITMQ), "amqp", PORT),
        _stateful_set(app, app.rabbitmq),
        disruption_budget(metadata(app, app.rabbitmq.name, RABBITMQ), selector(app, RABBITMQ)),
    ]


def settings(app: App, service: RabbitMQ) -> list[str]:
    """The server's configuration, a line each.

    What Celery's workers tell each other goes through queues that are neither durable nor exclusive, and it limits what
    a worker takes for all its queues at once; RabbitMQ 4 warns of both and 4.3 takes them only where that is said
    (https://www.rabbitmq.com/docs/deprecated-features-list).
    """
    return [
        f"listeners.tcp.default = {PORT}",
        f"vm_memory_high_watermark.absolute = {watermark(service)}",
        f"disk_free_limit.absolute = {disk_reserve(service)}",
        f"consumer_timeout = {consumer_timeout(app) * 1000}",
        "deprecated_features.permit.transient_nonexcl_queues = true",
        "deprecated_features.permit.global_qos = true",
    ]


def _stateful_set(app: App, service: RabbitMQ) -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": metadata(app, service.name, RABBITMQ, data=True),
        "spec": {
            "serviceName": service.name,
            "replicas": 1,
            "revisionHistoryLimit": 5,
            # In order, a broken pod would never give way to the mended one; of one pod there is no order.
            "podManagementPolicy": "Parallel",
            "selector": {"matchLabels": selector(app, RABBITMQ)},
            "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
            "template": {"metadata": {"labels": labels(app, RABBITMQ)}, "spec": _pod(app, service)},
            "volumeClaimTemplates": [_claim(app, service)],
        },
    }


def _claim(app: App, service: RabbitMQ) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "labels": labels(app, RABBITMQ), "annotations": {"nuages.dev/data": "true"}},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": canonical_memory(service.run.storage)}},
        },
    }


def _pod(app: App, service: RabbitMQ) -> Object:
    return {
        **pod_basics(app, user=UID, account=app.name),
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "containers": [
            {
                "name": "rabbitmq",
                "image": f"docker.io/library/rabbitmq:{service.run.version}",
                "imagePullPolicy": "IfNotPresent",
                "command": ["sh", "-c", _START, "rabbitmq"],
                "args": settings(app, service),
                "env": _variables(app, service),
                "ports": [{"name": "amqp", "containerPort": PORT, "protocol": "TCP"}],
                **_probes(),
                "resources": resources(service.run.resources),
                "securityContext": container_security(),
                "volumeMounts": [{"name": "data", "mountPath": VOLUME}, temporary_mount()],
            }
        ],
        "volumes": [temporary()],
    }


def _variables(app: App, service: RabbitMQ) -> list[Object]:
    """Who it makes at its first start: a user of the app's own, in a vhost of its own; there is no `guest`."""
    plain = {
        "RABBITMQ_NODENAME": NODE,
        "RABBITMQ_CONFIG_FILE": _CONFIG,
        "RABBITMQ_DEFAULT_USER": USER,
        "RABBITMQ_DEFAULT_VHOST": app.name,
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
    }
    return [
        *({"name": name, "value": value} for name, value in plain.items()),
        from_secret("RABBITMQ_DEFAULT_PASS", service.name, PASSWORD_KEY),
        from_secret("RABBITMQ_ERLANG_COOKIE", service.name, COOKIE_KEY),
    ]


def _probes() -> Object:
    """Its port is open once it has booted, users and queues and all; its own tools would start an Erlang each time."""
    opened = {"tcpSocket": {"port": "amqp"}}
    return {
        # Five minutes for recovery after a crash.
        "startupProbe": {**opened, "periodSeconds": 2, "timeoutSeconds": 5, "failureThreshold": 150},
        "readinessProbe": {**opened, "periodSeconds": 5, "timeoutSeconds": 5, "failureThreshold": 2},
        "livenessProbe": {**opened, "periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 6},
    }
