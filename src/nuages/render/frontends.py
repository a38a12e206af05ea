"""Front ends: for each an nginx that serves what Node built, from an image of its own."""

from __future__ import annotations

from nuages.app.components import App, Frontend
from nuages.app.objects import Object
from nuages.render import nginx
from nuages.render.labels import FRONTEND, labels, metadata, selector
from nuages.render.pods import disruption_budget, pod_basics, spread
from nuages.render.release import Release


def frontends(app: App, release: Release) -> list[Object]:
    """All objects of all front ends, in order; none where there are none."""
    return [made for each in app.frontends.values() for made in frontend(app, each, release)]


def frontend(app: App, each: Frontend, release: Release) -> list[Object]:
    """ConfigMap, Service, Deployment and disruption budget of one front end."""
    about, matching = metadata(app, each.name, FRONTEND, each.key), selector(app, FRONTEND, each.key)
    site = nginx.front_conf(app, each.frontend.routes)
    config = nginx.config(app, about, site, each.frontend.nginx)
    return [
        config,
        nginx.service(about, matching),
        _deployment(app, each, release, config),
        disruption_budget(about, matching),
    ]


def _deployment(app: App, each: Frontend, release: Release, config: Object) -> Object:
    wanted = each.frontend
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(app, each.name, FRONTEND, each.key),
        "spec": {
            "replicas": wanted.replicas,
            "revisionHistoryLimit": 5,
            "progressDeadlineSeconds": 120,
            # All new pods beside the old ones: the shorter both are there, the fewer pages and files are of two builds.
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": "100%"}},
            "selector": {"matchLabels": selector(app, FRONTEND, each.key)},
            "template": {
                "metadata": {"labels": labels(app, FRONTEND, each.key)},
                "spec": _pod(app, each, release, config),
            },
        },
    }


def _pod(app: App, each: Frontend, release: Release, config: Object) -> Object:
    """It gets none of the app's configuration, and no secret: it serves files."""
    image = release.build.frontend(each.key)
    return {
        **pod_basics(app, user=nginx.UID, account=app.name),
        "terminationGracePeriodSeconds": nginx.PRE_STOP + nginx.GRACE,
        "topologySpreadConstraints": spread(selector(app, FRONTEND, each.key)),
        "containers": [nginx.container("nginx", image, each.frontend.resources)],
        "volumes": nginx.volumes(config, each.frontend.nginx),
    }
