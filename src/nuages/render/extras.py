"""What is said of all pods in one place: their account, where they go, what may evict them, and what is put into them.

Every builder of this package makes its pods without it; what comes out of them is dressed once, by the component that a
pod's labels name.
"""

from __future__ import annotations

import copy

import msgspec

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.app.topology import PROJECT
from nuages.render.files import mounts, volumes
from nuages.render.foundation import account_of
from nuages.render.labels import BEAT, COMPONENT, EXTRA, FRONTEND, MEMCACHED, REDIS, STATIC, WEB, WORKER
from nuages.render.patches import patched
from nuages.render.pods import container_security, resources, temporary_mount
from nuages.render.release import Manifest
from nuages.spec.model import Extra

# https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/FAQ.md#what-types-of-pods-can-prevent-ca-from-removing-a-node
EVICT = "cluster-autoscaler.kubernetes.io/safe-to-evict"
_EVICTED = {WEB, WORKER, BEAT, STATIC, FRONTEND, MEMCACHED}
_HOST, _ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"


def finished(app: App, built: Manifest) -> Manifest:
    """A manifest with what the spec says of all pods, and of single objects. Its services are whole already."""
    parts = {
        name: whole(app, getattr(built, name)) for name in built.__struct_fields__ if name not in ("services", "hooks")
    }
    hooks = {
        point: msgspec.structs.replace(hook, objects=whole(app, hook.objects)) for point, hook in built.hooks.items()
    }
    return msgspec.structs.replace(built, **parts, hooks=hooks)


def whole(app: App, objects: list[Object]) -> list[Object]:
    """Objects with what the spec says of all pods, and of single objects."""
    return patched(app, dressed(app, objects))


def dressed(app: App, objects: list[Object]) -> list[Object]:
    """The same objects, their pods with all that the spec says of them beside what they run."""
    return [_dressed(app, item) for item in objects]


def template_of(item: Object) -> Object | None:
    """The template of the pods that an object makes; None where it makes none."""
    match item["kind"]:
        case "Deployment" | "StatefulSet" | "Job":
            found: Object = item["spec"]["template"]
        case "CronJob":
            found = item["spec"]["jobTemplate"]["spec"]["template"]
        case _:
            return None
    return found


def _dressed(app: App, item: Object) -> Object:
    if item["metadata"].get("labels", {}).get(COMPONENT) == EXTRA or template_of(item) is None:
        return item
    made = copy.deepcopy(item)
    template = template_of(made) or {}
    component = template["metadata"]["labels"][COMPONENT]
    template["metadata"].setdefault("annotations", {})[EVICT] = _evicted(app, item["kind"], component)
    pod = template["spec"]
    pod["serviceAccountName"] = account_of(app, component)
    pod |= _placed(app, pod)
    if component in PROJECT and app.files:
        pod["volumes"] = [*pod.get("volumes", []), *volumes(app)]
        first = pod["containers"][0]
        first["volumeMounts"] = [*first.get("volumeMounts", []), *mounts(app)]
    if beside := [*_sidecars(app, component), *_steps(app, component)]:
        pod["initContainers"] = [*beside, *pod.get("initContainers", [])]
    return made


def _evicted(app: App, kind: str, component: str) -> str:
    """Whether a node may be taken away under it to save one: not under a Job, which would begin anew, nor under what
    holds data. Without a word the folders that every pod has for itself would keep the node.
    """
    if kind in ("Job", "CronJob"):
        return "false"
    cache = component == REDIS and app.redis is not None and app.redis.storage is None
    return "true" if component in _EVICTED or cache else "false"


def placement(app: App) -> Object:
    """On which nodes: https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/"""
    wanted = app.placement
    fields: Object = {}
    if wanted.node_selector:
        fields["nodeSelector"] = dict(wanted.node_selector)
    if wanted.tolerations:
        fields["tolerations"] = [
            {
                **({"key": one.key} if one.key else {}),
                "operator": "Equal" if one.value is not None else "Exists",
                **({"value": one.value} if one.value is not None else {}),
                **({"effect": one.effect} if one.effect else {}),
            }
            for one in wanted.tolerations
        ]
    if wanted.priority_class:
        fields["priorityClassName"] = wanted.priority_class
    return fields


def _placed(app: App, pod: Object) -> Object:
    wanted, fields = app.placement, placement(app)
    if (spread := pod.get("topologySpreadConstraints")) and wanted.spread == "zone":
        # Over zones they must be spread; a node that names none takes no pod then.
        zones = [one | {"whenUnsatisfiable": "DoNotSchedule"} for one in spread if one["topologyKey"] == _ZONE]
        fields["topologySpreadConstraints"] = [*zones, *(one for one in spread if one["topologyKey"] == _HOST)]
    elif spread and wanted.spread == "none":
        # The scheduler would spread them by itself where nothing is said.
        fields["topologySpreadConstraints"] = [one | {"maxSkew": 100} for one in spread]
    return fields


def _sidecars(app: App, component: str) -> list[Object]:
    """https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/: up before the rest, and last to go."""
    return [
        _extra(name, extra) | {"restartPolicy": "Always"}
        for name, extra in app.sidecars.items()
        if component in extra.components
    ]


def _steps(app: App, component: str) -> list[Object]:
    """What ends before the project's own process begins, one after another."""
    return [_extra(name, extra) for name, extra in app.init.items() if component in extra.components]


def _extra(name: str, extra: Extra) -> Object:
    """It shares /tmp with the project's process, and runs as the same user."""
    return {
        "name": name,
        "image": extra.image,
        "imagePullPolicy": "IfNotPresent",
        **({"command": extra.command} if extra.command else {}),
        **({"env": [{"name": key, "value": value} for key, value in sorted(extra.env.items())]} if extra.env else {}),
        "resources": resources(extra.resources),
        "securityContext": container_security(),
        "volumeMounts": [temporary_mount()],
    }
