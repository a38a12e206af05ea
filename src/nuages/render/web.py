"""A web component: Deployment, Service, disruption budget."""

from __future__ import annotations

from nuages.app.components import App, Web
from nuages.app.objects import Object
from nuages.render.environment import HTTP_PORT, server_variables, sources, variables
from nuages.render.labels import WEB, labels, metadata, selector
from nuages.render.pods import container_security, pod_basics, resources, temporary, temporary_mount
from nuages.render.release import Release
from nuages.render.storage import media_mount, media_volume, shared

SERVICE_PORT = 80


def web(app: App, component: Web, release: Release) -> list[Object]:
    """All objects of one web component, in order."""
    return [_service(app, component), _deployment(app, component, release), _budget(app, component)]


def _deployment(app: App, component: Web, release: Release) -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(app, component.name, WEB, component.key),
        "spec": {
            "replicas": component.replicas,
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
    """New pods first, then fewer old ones; where the uploads' volume is on one node, new ones could not start first."""
    if app.media and not shared(app.media.volume):
        return {"type": "Recreate"}
    return {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": component.surge}}


def _pod(app: App, component: Web, release: Release) -> Object:
    return {
        **pod_basics(app, user=release.build.user, account=app.name),
        "terminationGracePeriodSeconds": component.timing.grace,
        # Over nodes and zones where there are several; on one node they still start.
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": key,
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": selector(app, WEB, component.key)},
                # Old and new pods are spread each for themselves.
                "matchLabelKeys": ["pod-template-hash"],
            }
            for key in ("kubernetes.io/hostname", "topology.kubernetes.io/zone")
        ],
        "containers": [_server(app, component, release)],
        "volumes": [temporary(), *media_volume(app, release)],
    }


def _server(app: App, component: Web, release: Release) -> Object:
    return {
        "name": "web",
        "image": release.build.reference,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python", "-m", "nuages_runtime.serve"],
        "envFrom": sources(app, release),
        "env": [*variables(app, release), *server_variables(component)],
        "ports": [{"name": "http", "containerPort": HTTP_PORT, "protocol": "TCP"}],
        **_probes(component),
        "lifecycle": {"preStop": {"sleep": {"seconds": component.timing.pre_stop}}},
        "resources": resources(component.resources),
        "securityContext": container_security(),
        "volumeMounts": [temporary_mount(), *media_mount(app, release)],
    }


def _probes(component: Web) -> Object:
    """Three questions the runtime answers before Django sees them, so neither ALLOWED_HOSTS nor redirects matter.

    Liveness touches nothing but the server: a database that is away must not restart every pod.
    """
    timing = component.timing
    return {
        "startupProbe": _probe("/-/startup", timing.startup_period, timing.startup_failures, timing.probe_timeout),
        "readinessProbe": _probe("/-/ready", timing.readiness_period, timing.readiness_failures, timing.probe_timeout),
        "livenessProbe": _probe("/-/live", timing.liveness_period, timing.liveness_failures, timing.probe_timeout),
    }


def _probe(path: str, period: int, failures: int, timeout: int) -> Object:
    return {
        "httpGet": {"path": path, "port": "http", "scheme": "HTTP"},
        "periodSeconds": period,
        "timeoutSeconds": timeout,
        "failureThreshold": failures,
    }


def _service(app: App, component: Web) -> Object:
    """The name inside the cluster; what lets the outside in is an object of its own (exposure.py)."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(app, component.name, WEB, component.key),
        "spec": {
            "type": "ClusterIP",
            "selector": selector(app, WEB, component.key),
            "ports": [{"name": "http", "port": SERVICE_PORT, "targetPort": "http", "protocol": "TCP"}],
        },
    }


def _budget(app: App, component: Web) -> Object:
    """At most one pod at a time by a drain. With one replica that is an outage, but the drain goes on: a budget that
    allows none would hold a node for ever. Pods that are not ready don't count, they can't get worse.
    """
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata(app, component.name, WEB, component.key),
        "spec": {
            "maxUnavailable": 1,
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
            "selector": {"matchLabels": selector(app, WEB, component.key)},
        },
    }
