"""The pod of `nuages dev`: what the live web has, but the project in a folder that can be written, and DEBUG.

As a pod of `nuages run` it is made from the pod template that is live, with the same walls, and no Service selects it.
The image's project is copied to a volume first, since the image cannot be written to; what is edited goes there.
"""

from __future__ import annotations

import shlex

import msgspec

from nuages.app.build import Build
from nuages.app.components import App, Web
from nuages.app.objects import Object
from nuages.render.labels import RUN, metadata
from nuages.render.run import CPU, beside

CONTAINER = "dev"
FOLDER = "/nuages-dev"
"""Where the volume is; nuages_runtime.dev.places has the same."""

SOURCE = f"{FOLDER}/app"
PORT = 8000
DEBUGGER = 5678
_VOLUME = "nuages-dev"
IDLE_SECONDS = 600
"""A pod to which nobody came back after so long ends by itself."""

# What leads requests to a web, or away from it: where it is developed nothing stands in front of it.
_LEFT_OUT = frozenset(
    (
        *("NUAGES_METRICS_PORT", "NUAGES_PROXY", "NUAGES_HSTS", "NUAGES_HTTPS", "NUAGES_REDIRECTS"),
        *("NUAGES_REDIRECT_TO", "NUAGES_STATIC", "NUAGES_STATIC_TREE", "NUAGES_STATIC_URL", "NUAGES_BODY"),
        *("NUAGES_ORIGINS", "NUAGES_COMPONENT", "NUAGES_LOGS", "NUAGES_OVERLAY", "NUAGES_PORT", "PORT"),
    )
)
_KEPT = (
    "serviceAccountName",
    "automountServiceAccountToken",
    "enableServiceLinks",
    "securityContext",
    "imagePullSecrets",
    "nodeSelector",
    "tolerations",
)
_OF_A_WEB = frozenset(("ports", "startupProbe", "readinessProbe", "livenessProbe", "lifecycle", "args", "command"))


class Development(msgspec.Struct, frozen=True, kw_only=True):
    """One person's pod."""

    name: str
    by: str
    """user@host."""
    ttl: int
    """Seconds after which it is ended, whoever is there."""
    image: str = ""
    """Another than the live one."""
    memory: str | None = None
    variables: dict[str, str] = {}
    """What the project's settings are told besides: DEBUG, by the name under which they read it."""


def development(app: App, web: Web, template: Object, build: Build, wanted: Development) -> Object:
    """The pod; `template` is the live one of the web."""
    spec = template["spec"]
    served = spec["containers"][0]
    image = wanted.image or served["image"]
    place = {"name": _VOLUME, "mountPath": FOLDER}
    mounts = [*served.get("volumeMounts", []), place, place | {"mountPath": build.working_dir, "subPath": "app"}]
    # Nested ones last: uploads and folders lie below the project.
    mounts.sort(key=lambda mount: mount["mountPath"])
    about = metadata(app, wanted.name, RUN, wanted.name)
    copying = ["python", "-I", "-m", "nuages_runtime.dev.copied", build.working_dir, SOURCE]
    small = {"requests": {"cpu": CPU, "memory": "64Mi"}, "limits": {"memory": "256Mi"}}
    security = {"securityContext": served["securityContext"]} if "securityContext" in served else {}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": about | {"annotations": {"nuages.dev/by": wanted.by}},
        "spec": {
            **{field: spec[field] for field in _KEPT if field in spec},
            **beside(app, spec),
            "restartPolicy": "Never",
            "activeDeadlineSeconds": wanted.ttl,
            "terminationGracePeriodSeconds": 3,
            # Whatever a server leaves behind has somebody who waits for its end.
            "shareProcessNamespace": True,
            "initContainers": [
                {
                    "name": "copy",
                    "image": image,
                    "imagePullPolicy": "IfNotPresent",
                    "command": copying,
                    "resources": small,
                    **security,
                    "volumeMounts": [place],
                }
            ],
            "containers": [
                {
                    **{field: value for field, value in served.items() if field not in _OF_A_WEB},
                    "name": CONTAINER,
                    "image": image,
                    "command": ["python", "-m", "nuages_runtime.dev"],
                    "workingDir": build.working_dir,
                    "env": _environment(served, web, wanted),
                    "resources": _resources(served.get("resources", {}), wanted),
                    "volumeMounts": mounts,
                }
            ],
            "volumes": [*spec.get("volumes", []), {"name": _VOLUME, "emptyDir": {"sizeLimit": "2Gi"}}],
        },
    }


def _environment(served: Object, web: Web, wanted: Development) -> list[Object]:
    """The web's own, but for what stands before it, and what its author wants to see."""
    told = {variable["name"]: variable.get("value", "") for variable in served.get("env", [])}
    overlay = [*filter(None, told.get("NUAGES_OVERLAY", "").split(",")), "dev"]
    hosts = [*filter(None, told.get("NUAGES_HOSTS", "").split(",")), "localhost", "127.0.0.1"]
    ours = {
        **wanted.variables,
        "NUAGES_DEV": "1",
        "NUAGES_DEV_IDLE": str(IDLE_SECONDS),
        "NUAGES_COMPONENT": "dev",
        "NUAGES_LOGS": "text",
        "NUAGES_OVERLAY": ",".join(overlay),
        "NUAGES_HOSTS": ",".join(hosts),
        "NUAGES_PORT": str(PORT),
        "PYTHONUNBUFFERED": "1",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # else debugpy warns at each start of what is not the case
        **({"NUAGES_DEV_COMMAND": shlex.join(web.command)} if web.command else {}),
    }
    # A home that can be written, and a terminal that a debugger draws on.
    ours |= {name: value for name, value in {"HOME": "/tmp", "TERM": "xterm-256color"}.items() if name not in told}  # noqa: S108
    kept = [one for one in served.get("env", []) if one["name"] not in _LEFT_OUT and one["name"] not in ours]
    return [*kept, *({"name": name, "value": value} for name, value in ours.items())]


def _resources(served: Object, wanted: Development) -> Object:
    """The web's memory and what was asked for; no more CPU set aside than a command's, since nobody waits for it."""
    memory = {"memory": wanted.memory} if wanted.memory else {}
    limits = served.get("limits", {}) | memory
    return {
        **({"limits": limits} if limits else {}),
        "requests": served.get("requests", {}) | {"cpu": CPU} | memory,
    }
