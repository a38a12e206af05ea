"""Static files in a bucket: a Job uploads those of this release before any page names them.

What is in the bucket of earlier releases stays as long as their pages may be open; the same Job then removes it.
"""

from __future__ import annotations

import copy

from nuages.app import buckets
from nuages.app.components import App
from nuages.app.objects import Object
from nuages.render.bucket import job_variables
from nuages.render.labels import STATIC, labels, metadata
from nuages.render.pods import container_security, pod_basics, resources, temporary, temporary_mount
from nuages.render.release import Release
from nuages.spec.model import Resources, StaticBucket

SMALL = Resources(cpu="50m", memory="192Mi")
DEADLINE_SECONDS = 900
# As a migrate Job's: it stays for whoever wants to read its log, until the next release prunes it.
KEPT_SECONDS = 7 * 24 * 3600


def upload(app: App, release: Release) -> list[Object]:
    """The Job; none where no bucket is declared, or the image has no static files.

    It may be tried again: what lies there already with the same content is left alone.
    """
    bucket, root = app.static.bucket, release.build.static_root
    if bucket is None or root is None or not release.build.static_tree:
        return []
    return [
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": metadata(app, _name(app.name, release.number), STATIC),
            "spec": {
                "backoffLimit": 3,
                "completions": 1,
                "parallelism": 1,
                "activeDeadlineSeconds": DEADLINE_SECONDS,
                "ttlSecondsAfterFinished": KEPT_SECONDS,
                "template": {
                    "metadata": {"labels": labels(app, STATIC)},
                    "spec": {
                        **pod_basics(app, user=release.build.user, account=app.name),
                        "restartPolicy": "Never",
                        "containers": [_container(app, release, bucket, root)],
                        "volumes": [temporary()],
                    },
                },
            },
        }
    ]


def again(job: Object, app: str, number: int, running: int | None) -> Object:
    """The Job of an earlier release for one that brings it back: its files may have been removed since, and from now
    on they are listed as those of the newer number, which keeps them there while it serves.
    """
    made = copy.deepcopy(job)
    made["metadata"]["name"] = _name(app, number)
    container = made["spec"]["template"]["spec"]["containers"][0]
    told = {"NUAGES_RELEASE": str(number), **({} if running is None else {"NUAGES_RUNNING": str(running)})}
    kept = [one for one in container["env"] if one["name"] not in ("NUAGES_RELEASE", "NUAGES_RUNNING")]
    container["env"] = [*kept, *({"name": name, "value": value} for name, value in told.items())]
    return made


def _name(app: str, number: int) -> str:
    return f"{app}-static-{number}"


def variables(app: App, release: Release) -> dict[str, str]:
    """Below what pages name their files: the hash of all of them, unless names have hashes of their own."""
    if app.static.bucket is None:
        return {}
    return {"NUAGES_STATIC_TREE": "" if release.build.static_hashed else release.build.static_tree}


def address(app: App) -> str:
    """Where browsers ask for static files, for the overlay; "" where that is the project's own affair."""
    bucket = app.static.bucket
    return "" if bucket is None else (bucket.cdn or buckets.address(bucket)).rstrip("/")


def _container(app: App, release: Release, bucket: StaticBucket, root: str) -> Object:
    """It gets none of the app's configuration, and no secret but the one of this bucket."""
    told = {
        "NUAGES_STATIC_ROOT": root,
        "NUAGES_STATIC_TREE": variables(app, release)["NUAGES_STATIC_TREE"],
        "NUAGES_INSTANCE": app.instance,
        "NUAGES_RELEASE": str(release.number),
        "NUAGES_RUNNING": str(release.running or ""),
        "NUAGES_KEEP": str(app.static.keep),
    }
    return {
        "name": "upload",
        "image": release.build.reference,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python", "-I", "-m", "nuages_runtime.upload"],
        "env": [*job_variables(bucket), *({"name": name, "value": value} for name, value in told.items() if value)],
        "resources": resources(SMALL),
        "securityContext": container_security(),
        "volumeMounts": [temporary_mount()],
    }
