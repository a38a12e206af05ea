"""Front ends: for each an nginx that serves what Node built, from an image of its own."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

from nuages.app.components import App, Frontend
from nuages.app.objects import Object
from nuages.render import nginx
from nuages.render.labels import FRONTEND, KEY, labels, metadata, selector
from nuages.render.pods import container_security, disruption_budget, pod_basics, resources, spread
from nuages.render.release import Release
from nuages.spec.fronts import SmallResources

SIZE = "1Gi"
"""The most that files of earlier releases may take on a node."""
MOUNT = {"name": "earlier", "mountPath": nginx.EARLIER}


def frontends(app: App, release: Release) -> list[Object]:
    """All objects of all front ends, in order; none where there are none."""
    return [made for each in app.frontends.values() for made in frontend(app, each, release)]


def frontend(app: App, each: Frontend, release: Release) -> list[Object]:
    """ConfigMap, Services, Deployment and disruption budget of one front end."""
    about, matching = metadata(app, each.name, FRONTEND, each.key), selector(app, FRONTEND, each.key)
    site = nginx.front_conf(app, each.frontend.routes, f"{each.name}-peers")
    config = nginx.config(app, about, site, each.frontend.nginx)
    return [
        config,
        nginx.service(about, matching),
        nginx.peers(about, matching),
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
            "progressDeadlineSeconds": 600,  # images of earlier releases may have to be pulled
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
        **({"initContainers": before} if (before := _earlier(release.fronts.get(each.key, ()))) else {}),
        "containers": [
            nginx.container("nginx", image, each.frontend.resources, [{**MOUNT, "readOnly": True}], lead=nginx.LEAD)
        ],
        "volumes": [
            *nginx.volumes(config, each.frontend.nginx),
            {"name": "earlier", "emptyDir": {"sizeLimit": SIZE}},
        ],
    }


def with_earlier(objects: list[Object], images: Mapping[str, Sequence[str]]) -> list[Object]:
    """The same objects with the files of other earlier images, per front end."""
    changed = copy.deepcopy(objects)
    for item in changed:
        if item["kind"] == "Deployment":
            pod = item["spec"]["template"]["spec"]
            pod.pop("initContainers", None)
            if before := _earlier(images.get(item["metadata"]["labels"][KEY], ())):
                pod["initContainers"] = before
    return changed


def earlier(objects: list[Object]) -> dict[str, tuple[str, ...]]:
    """Per front end the images that bring earlier files."""
    return {
        item["metadata"]["labels"][KEY]: tuple(
            each["image"] for each in item["spec"]["template"]["spec"].get("initContainers", [])
        )
        for item in objects
        if item["kind"] == "Deployment"
    }


def _earlier(images: Sequence[str]) -> list[Object]:
    """What one image after the other leaves of its files; those with a hash in their name are never two."""
    return [
        {
            "name": f"earlier-{number}",
            "image": image,
            "imagePullPolicy": "IfNotPresent",
            "command": ["cp", "-R", f"{nginx.ROOT}/.", f"{nginx.EARLIER}/"],
            "resources": resources(SmallResources()),
            "securityContext": container_security(),
            "volumeMounts": [MOUNT],
        }
        for number, image in enumerate(images)
    ]
