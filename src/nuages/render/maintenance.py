"""The page that stands in for the app while its database is migrated: a Deployment to which the Services lead."""

from __future__ import annotations

from collections.abc import Sequence

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.render.exposure import routed
from nuages.render.labels import WEB, labels, metadata, selector
from nuages.render.pods import container_security, pod_basics, resources, spread, temporary, temporary_mount
from nuages.render.release import Release
from nuages.spec.model import Resources

KEY = "maintenance.page"
"""Of its pods, as a web's: so the walls that let requests in to webs let them in here. No key of a spec has a dot."""

FOLDER = "/var/lib/nuages/page"
"""Where a page of one's own is."""

RETRY_AFTER = 60
SMALL = Resources(cpu="50m", memory="64Mi")


def maintenance(app: App, release: Release) -> list[Object]:
    """The Deployment of the page; none where none was asked for."""
    if not release.maintenance:
        return []
    return [page(app, release, f"{app.name}-maintenance", KEY)]


def page(
    app: App, release: Release, name: str, key: str, *, variables: Sequence[Object] = (), file: str = ""
) -> Object:
    """A Deployment of the page.

    Args:
        app: whose.
        release: whose image it has.
        name: what it is called.
        key: of its pods.
        variables: what it is told beside.
        file: the ConfigMap with a page of one's own.
    """
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(app, name, WEB, key),
        "spec": {
            # One that a node takes with it must not leave nobody to answer, where the webs have seen to that too.
            "replicas": min(2, max(web.replicas for web in app.web.values())) or 1,
            "revisionHistoryLimit": 1,
            "progressDeadlineSeconds": 120,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
            "selector": {"matchLabels": selector(app, WEB, key)},
            "template": {
                "metadata": {"labels": labels(app, WEB, key)},
                "spec": _pod(app, release, key, variables, file),
            },
        },
    }


def _pod(app: App, release: Release, key: str, variables: Sequence[Object], file: str) -> Object:
    port = _port(app)
    ready = {"httpGet": {"path": "/-/ready", "port": "http", "scheme": "HTTP"}, "timeoutSeconds": 2}
    return {
        **pod_basics(app, user=release.build.user, account=app.name),
        "terminationGracePeriodSeconds": 15,
        "topologySpreadConstraints": spread(selector(app, WEB, key)),
        "containers": [
            {
                "name": "page",
                "image": release.build.reference,
                "imagePullPolicy": "IfNotPresent",
                "command": ["python", "-I", "-m", "nuages_runtime.page"],
                "env": [
                    {"name": "NUAGES_PORT", "value": str(port)},
                    {"name": "NUAGES_RETRY_AFTER", "value": str(RETRY_AFTER)},
                    *variables,
                ],
                "ports": [{"name": "http", "containerPort": port, "protocol": "TCP"}],
                "startupProbe": {**ready, "periodSeconds": 1, "failureThreshold": 60},
                "readinessProbe": {**ready, "periodSeconds": 2, "failureThreshold": 3},
                # As a web's: proxies on every node learn that the endpoint is gone before it stops.
                "lifecycle": {"preStop": {"sleep": {"seconds": 5}}},
                "resources": resources(SMALL),
                "securityContext": container_security(),
                "volumeMounts": [temporary_mount(), *([{"name": "page", "mountPath": FOLDER}] if file else [])],
            }
        ],
        "volumes": [temporary(), *([{"name": "page", "configMap": {"name": file}}] if file else [])],
    }


def _port(app: App) -> int:
    """A port that the app's walls let requests in to: that of the web that answers most paths."""
    found = routed(app)
    return found[-1][1].port if found else next(iter(app.web.values())).port
