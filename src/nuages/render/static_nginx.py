"""Static files from an nginx of their own (`static: {nginx: {}}`): the files of this release, and what lasts of those
before, in pods that the way in leads to. Webs keep their own files, for whoever comes past it.
"""

from __future__ import annotations

from nuages.app.build import Statics
from nuages.app.components import App
from nuages.app.objects import Object
from nuages.render import nginx
from nuages.render.labels import STATIC, labels, metadata, selector
from nuages.render.pods import container_security, disruption_budget, pod_basics, resources, spread
from nuages.render.release import Release
from nuages.spec.fronts import Nginx, SmallResources

FOLDER = "/var/lib/nuages/static"
OWN = "own-files"
"""The init container that brings all files of the release, whatever they are called."""
SIZE = "4Gi"
SMALL = SmallResources()


def served(app: App, release: Release) -> list[Object]:
    """ConfigMap, Service, Deployment and disruption budget; nothing where the project has no static files here.

    What lasts of earlier releases comes in init containers of its own (static.with_images).
    """
    files = release.build.statics
    if app.static.nginx is None or files is None:
        return []
    about, matching = metadata(app, f"{app.name}-static", STATIC), selector(app, STATIC)
    config = nginx.config(app, about, nginx.static_conf(app, FOLDER), app.static.nginx)
    return [
        config,
        nginx.service(about, matching),
        _deployment(app, release, files, config),
        disruption_budget(about, matching),
    ]


def own(files: Statics) -> Object:
    """All of one image's files, into the folder that nginx serves."""
    return {
        "name": OWN,
        "image": files.image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python", "-I", "-m", "nuages_runtime.statics", "whole", FOLDER, files.root, files.path],
        "resources": resources(SMALL),
        "securityContext": container_security(),
        "volumeMounts": [{"name": "static", "mountPath": FOLDER}],
    }


def _deployment(app: App, release: Release, files: Statics, config: Object) -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(app, f"{app.name}-static", STATIC),
        "spec": {
            # Where one web may go away for a while, so may this.
            "replicas": min(2, max((web.replicas for web in app.web.values() if web.routes), default=1)),
            "revisionHistoryLimit": 1,
            "progressDeadlineSeconds": 600,  # images of earlier releases may have to be pulled
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": "100%"}},
            "selector": {"matchLabels": selector(app, STATIC)},
            "template": {"metadata": {"labels": labels(app, STATIC)}, "spec": _pod(app, release, files, config)},
        },
    }


def _pod(app: App, release: Release, files: Statics, config: Object) -> Object:
    """The user is the project's, whose image brings the files; nginx runs as whoever it is told to."""
    mounted = {"name": "static", "mountPath": FOLDER, "readOnly": True}
    return {
        **pod_basics(app, user=release.build.user, account=app.name),
        "terminationGracePeriodSeconds": nginx.PRE_STOP + nginx.GRACE,
        "topologySpreadConstraints": spread(selector(app, STATIC)),
        "initContainers": [own(files)],
        "containers": [nginx.container("nginx", nginx.IMAGE, SMALL, [mounted])],
        "volumes": [
            *nginx.volumes(config, app.static.nginx or Nginx()),
            {"name": "static", "emptyDir": {"sizeLimit": SIZE}},
        ],
    }
