"""The static files of this release and of some before it, in pods of their own: who misses one of them asks there.

A page is made by one release, and its files may be asked of a pod of another: while a release rolls, and for as long
as a browser keeps the page open. Each image brings its own files, in an init container; a small server has them all.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Sequence

from nuages.app.build import Build, Statics
from nuages.app.components import App
from nuages.app.objects import Object
from nuages.render.labels import STATIC, labels, metadata, selector
from nuages.render.nginx import service
from nuages.render.pods import container_security, disruption_budget, pod_basics, resources, spread
from nuages.render.release import Release
from nuages.render.static_nginx import FOLDER, OWN, SIZE, own, served
from nuages.spec.model import Resources

PORT = 8000
SMALL = Resources(cpu="10m", memory="64Mi")
"""One thread for each question of a web, and no cache but the kernel's."""
PRE_STOP, GRACE = 5, 15
"""Seconds, as a web's (app/timing.py): an answer of it is short."""


def bridged(app: App, build: Build) -> bool:
    """Whether webs ask for static files of other releases: those that the runtime serves, where a folder of the image
    has files to ask for, and nobody said that nuages shall leave them alone.
    """
    overlay = app.django.overlay
    served = [web for web in app.web.values() if web.routes]
    ours = bool(served) and all(web.command is None for web in served)
    return app.static.keep > 0 and overlay.enabled and overlay.static and ours and build.statics is not None


def name(app: App) -> str:
    """What its objects are called, and the host name to reach it: `blog-static`."""
    return f"{app.name}-static"


def static(app: App, release: Release) -> list[Object]:
    """Service, Deployment and disruption budget; nothing while one image has all there is to ask for, unless an nginx
    shall serve it.
    """
    if app.static.nginx:
        return with_images(served(app, release), release.statics)
    if not bridged(app, release.build) or len(release.statics) < 2:
        return []
    about = metadata(app, name(app), STATIC)
    matching = selector(app, STATIC)
    objects = [service(about, matching), _deployment(app, release), disruption_budget(about, matching)]
    return with_images(objects, release.statics)


def with_images(objects: list[Object], images: Sequence[Statics]) -> list[Object]:
    """The same objects for the files of other images, the first of which serves them all, unless nginx does."""
    changed = copy.deepcopy(objects)
    for item in changed:
        if item["kind"] == "Deployment":
            pod = item["spec"]["template"]["spec"]
            mine = [each for each in pod.get("initContainers", []) if each["name"] == OWN]
            pod["initContainers"] = [*mine, *(_copied(each, number) for number, each in enumerate(images))]
            if not mine:
                pod["containers"][0]["image"] = images[0].image
    return changed


def with_own(objects: list[Object], files: Statics) -> list[Object]:
    """The same objects with all files of another image, where nginx serves those of one."""
    changed = copy.deepcopy(objects)
    for item in changed:
        if item["kind"] == "Deployment":
            pod = item["spec"]["template"]["spec"]
            pod["initContainers"] = [own(files) if each["name"] == OWN else each for each in pod["initContainers"]]
    return changed


def without(objects: list[Object], left_out: Collection[str]) -> list[Object]:
    """The same objects without some images, which can't be had any more."""
    changed = copy.deepcopy(objects)
    for item in changed:
        if item["kind"] == "Deployment":
            pod = item["spec"]["template"]["spec"]
            if kept := [each for each in pod.pop("initContainers", []) if each["image"] not in left_out]:
                pod["initContainers"] = kept
    return changed


def _deployment(app: App, release: Release) -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(app, name(app), STATIC),
        "spec": {
            # Where one web may go away for a while, so may this.
            "replicas": min(2, max(web.replicas for web in app.web.values() if web.routes)),
            "revisionHistoryLimit": 1,
            "progressDeadlineSeconds": 600,  # images of earlier releases may have to be pulled
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": "100%"}},
            "selector": {"matchLabels": selector(app, STATIC)},
            "template": {"metadata": {"labels": labels(app, STATIC)}, "spec": _pod(app, release)},
        },
    }


def _pod(app: App, release: Release) -> Object:
    """It gets none of the app's configuration, and no secret."""
    return {
        **pod_basics(app, user=release.build.user, account=app.name),
        "terminationGracePeriodSeconds": GRACE,
        "topologySpreadConstraints": spread(selector(app, STATIC)),
        "containers": [
            {
                "name": "static",
                "image": release.build.reference,
                "imagePullPolicy": "IfNotPresent",
                "command": ["python", "-I", "-m", "nuages_runtime.statics", "serve", FOLDER],
                "ports": [{"name": "http", "containerPort": PORT, "protocol": "TCP"}],
                **_probes(),
                "lifecycle": {"preStop": {"sleep": {"seconds": PRE_STOP}}},
                "resources": resources(SMALL),
                "securityContext": container_security(),
                "volumeMounts": [{"name": "static", "mountPath": FOLDER, "readOnly": True}],
            }
        ],
        "volumes": [{"name": "static", "emptyDir": {"sizeLimit": SIZE}}],
    }


def _copied(files: Statics, number: int) -> Object:
    """What lasts of one image's files, into the folder that all share.

    The first leaves its program there for the others: what was said of files is understood as it was said.
    """
    program = ["-I", f"{FOLDER}/statics.py"] if number else ["-I", "-m", "nuages_runtime.statics"]
    tree = "" if files.hashed else files.tree
    return {
        "name": f"files-{number}",
        "image": files.image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python", *program, "copy", FOLDER, files.root, files.path, tree],
        "resources": resources(SMALL),
        "securityContext": container_security(),
        "volumeMounts": [{"name": "static", "mountPath": FOLDER}],
    }


def _probes() -> Object:
    asked = {"httpGet": {"path": "/-/ready", "port": "http", "scheme": "HTTP"}, "timeoutSeconds": 2}
    return {
        "startupProbe": {**asked, "periodSeconds": 1, "failureThreshold": 60},
        "readinessProbe": {**asked, "periodSeconds": 5, "failureThreshold": 2},
        "livenessProbe": {**asked, "periodSeconds": 20, "failureThreshold": 3},
    }
