"""A web component: Deployment, Service, disruption budget."""

from __future__ import annotations

from nuages.app.components import App, Web
from nuages.app.objects import Object
from nuages.render.autoscale import autoscaler, fixed, told
from nuages.render.environment import (
    METRICS_PORT,
    command_variables,
    measured,
    server_variables,
    sources,
    variables,
)
from nuages.render.labels import RUNTIME, WEB, labels, metadata, selector
from nuages.render.pods import cluster_ip, container_security, disruption_budget, pod_basics, resources, spread
from nuages.render.release import Release
from nuages.render.storage import mounts, one_node, volumes

SERVICE_PORT = 80


def web(app: App, component: Web, release: Release) -> list[Object]:
    """All objects of one web component, in order."""
    matching = selector(app, WEB, component.key)
    return [
        _service(app, component),
        _deployment(app, component, release),
        disruption_budget(metadata(app, component.name, WEB, component.key), matching),
        *autoscaler(app, component),
    ]


def _deployment(app: App, component: Web, release: Release) -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": told(metadata(app, component.name, WEB, component.key), component),
        "spec": {
            **fixed(component),
            "revisionHistoryLimit": 5,
            # Time for one pod to start, and once more for a slow node or pull, before the rollout counts as stuck.
            "progressDeadlineSeconds": 2 * component.timing.startup_period * component.timing.startup_failures,
            "strategy": _strategy(app, component),
            "selector": {"matchLabels": selector(app, WEB, component.key)},
            "template": {
                "metadata": {"labels": labels(app, WEB, component.key)},
                "spec": _pod(app, component, release),
            },
        },
    }


def _strategy(app: App, component: Web) -> Object:
    """New pods first, then fewer old ones; where a volume is on one node, new ones could not start first."""
    if one_node(app):
        return {"type": "Recreate"}
    return {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": component.surge}}


def _pod(app: App, component: Web, release: Release) -> Object:
    return {
        **pod_basics(app, user=release.build.user, account=app.name),
        "terminationGracePeriodSeconds": component.timing.grace,
        "topologySpreadConstraints": spread(selector(app, WEB, component.key)),
        "containers": [_server(app, component, release)],
        "volumes": volumes(app, release),
    }


def _server(app: App, component: Web, release: Release) -> Object:
    return {
        "name": "web",
        "image": release.build.reference,
        "imagePullPolicy": "IfNotPresent",
        "command": component.command or ["python", "-m", "nuages_runtime.serve"],
        "envFrom": sources(app, release),
        "env": [
            *variables(app, release, WEB),
            *(command_variables(app, component) if component.command else server_variables(app, component)),
        ],
        "ports": _ports(app, component),
        **_probes(component),
        "lifecycle": {"preStop": {"sleep": {"seconds": component.timing.pre_stop}}},
        "resources": resources(component.resources),
        "securityContext": container_security(),
        "volumeMounts": mounts(app, release),
    }


def _ports(app: App, component: Web) -> list[Object]:
    ports = {"http": component.port} | ({"metrics": METRICS_PORT} if measured(app, component) else {})
    return [{"name": name, "containerPort": port, "protocol": "TCP"} for name, port in ports.items()]


def _probes(component: Web) -> Object:
    """Three questions the runtime answers before Django sees them, so neither ALLOWED_HOSTS nor redirects matter.

    Liveness touches nothing but the server: a database that is away must not restart every pod. A command of the
    project's own is asked only whether it listens: any path might redirect, or ask for a host.
    """
    timing = component.timing

    def probe(path: str, period: int, failures: int) -> Object:
        asked = (
            {"tcpSocket": {"port": "http"}}
            if component.command
            else {"httpGet": {"path": path, "port": "http", "scheme": "HTTP"}}
        )
        return {**asked, "periodSeconds": period, "timeoutSeconds": timing.probe_timeout, "failureThreshold": failures}

    return {
        "startupProbe": probe("/-/startup", timing.startup_period, timing.startup_failures),
        "readinessProbe": probe("/-/ready", timing.readiness_period, timing.readiness_failures),
        "livenessProbe": probe("/-/live", timing.liveness_period, timing.liveness_failures),
    }


def _service(app: App, component: Web) -> Object:
    """The name inside the cluster; what lets the outside in is an object of its own (exposure.py)."""
    # Whoever asks the pods for their release gets no answer from a server that is not the runtime's.
    unasked = {"annotations": {RUNTIME: "false"}} if component.command else {}
    about = metadata(app, component.name, WEB, component.key) | unasked
    return cluster_ip(about, selector(app, WEB, component.key), "http", SERVICE_PORT)
