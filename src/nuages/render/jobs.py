"""The migrate Jobs, one for each stage: once per release, never by a pod that serves."""

from __future__ import annotations

import copy
import json
import math

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.render.environment import sources, variables
from nuages.render.labels import LEAVES, MIGRATE, WEB, labels, metadata, selector
from nuages.render.pods import container_security, near, pod_basics, resources
from nuages.render.release import Release
from nuages.render.storage import folder_on_one_node, mounts, volumes
from nuages.spec.units import seconds

# A finished Job stays for whoever wants to read its log, until the next release prunes it.
KEPT_SECONDS = 7 * 24 * 3600
# How many seconds the new version serves before.
SETTLE = "nuages.dev/settle"
# Where the record of the running release is mounted.
RUNNING = "/run/nuages"
# What Django calls the databases that are reached over a network (`connection.vendor`).
SERVERS = {"postgresql", "mysql", "oracle", "microsoft"}


def migrate(app: App, release: Release) -> list[Object]:
    """The Job that brings the databases to what the image expects; none where there is nothing to migrate.

    A Job can't be changed, so the release is in its name. It does not retry by itself: a migration that failed
    is to be looked at, and a release tries again under a new name. What a node does to its pod is another matter.
    """
    if not migrates(app, release):
        return []
    name = f"{app.name}-migrate-default-expand-{release.number}"
    about = metadata(app, name, MIGRATE)
    return [
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": about | {"annotations": {LEAVES: leaves(release)}},
            "spec": {
                "backoffLimit": 0,
                # A pod that was evicted or preempted is no failure; the next one goes on where it stopped.
                # https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-failure-policy
                "podFailurePolicy": {
                    "rules": [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}]
                },
                "completions": 1,
                "parallelism": 1,
                "activeDeadlineSeconds": math.ceil(seconds(app.migrations.timeout)),
                "ttlSecondsAfterFinished": KEPT_SECONDS,
                "template": {"metadata": {"labels": labels(app, MIGRATE)}, "spec": _pod(app, release)},
            },
        }
    ]


def settle(app: App, release: Release) -> list[Object]:
    """The Job of what migrations leave for after the rollout; where nothing ran beside them, nothing is left."""
    return [staged(job, "settle") for job in migrate(app, release)] if release.running else []


def contract(app: App, release: Release) -> list[Object]:
    """The Job that takes away what no code needs any more, where the spec wants it in the same release."""
    if app.migrations.contract != "after-rollout" or release.running is None:
        return []
    found = [staged(job, "contract") for job in migrate(app, release)]
    for job in found:
        job["metadata"]["annotations"] = {SETTLE: str(seconds(app.migrations.settle))}
    return found


def staged(job: Object, stage: str, suffix: str = "") -> Object:
    """The Job of another stage, made of the one that migrates; `suffix` tells one more of the same from it."""
    made = copy.deepcopy(job)
    made["metadata"]["name"] = made["metadata"]["name"].replace("-expand-", f"-{stage}-") + suffix
    made["metadata"].pop("annotations", None)
    container = made["spec"]["template"]["spec"]["containers"][0]
    container["command"] = ["python", "-m", "nuages_runtime.migrate", "--stage", stage]
    return made


def migrates(app: App, release: Release) -> bool:
    """Whether there is a database that outlives a pod: one of the spec's services, one of the project's own that is a
    server, or SQLite's file in a folder that is kept.
    """
    vendor = release.build.engines.get("default", "")
    kept = any(not volume.folder.temporary for volume in app.volumes.values())
    return app.databases.default is not None or vendor in SERVERS or (vendor == "sqlite" and kept)


def leaves(release: Release) -> str:
    """The image's migration leaves as canonical JSON: equal text, equal migrations."""
    return json.dumps(
        {label: sorted(names) for label, names in sorted(release.build.migrations.items())}, separators=(",", ":")
    )


def _told(app: App, release: Release) -> dict[str, str]:
    """What the runtime migrates by."""
    classes = json.dumps(dict(sorted(app.migrations.classes.items())), separators=(",", ":"))
    return {
        "NUAGES_NUMBER": str(release.number),
        "NUAGES_LOCK_TIMEOUT": _lock_timeout(app),
        # Half of the time is left for what is done once the locks are there.
        "NUAGES_LOCK_PATIENCE": str(math.ceil(seconds(app.migrations.timeout) / 2)),
        # Said also where there are none: the gates are asked for by it.
        "NUAGES_CHECKS_IGNORED": ",".join(sorted(app.django.checks.ignore)) or "-",
        **({"NUAGES_CLASSES": classes} if app.migrations.classes else {}),
        **({"NUAGES_CONTRACT": "manual"} if app.migrations.contract == "manual" else {}),
        **({"NUAGES_RUNNING": f"{RUNNING}/running.json.gz"} if release.running else {}),
    }


def _running(app: App, release: Release) -> Object:
    """What the running release's code needs of the database, as its record tells; one made before that was recorded
    has nothing to tell, and the runtime then takes it to need all that is there.
    """
    return {
        "name": "running",
        "configMap": {
            "name": f"{app.name}-release-{release.running}",
            "optional": True,
            "items": [{"key": "schema", "path": "running.json.gz"}],
        },
    }


def _lock_timeout(app: App) -> str:
    """In PostgreSQL's own units: its `m` is no minute."""
    return f"{round(seconds(app.migrations.lock_timeout) * 1000)}ms"


def _pod(app: App, release: Release) -> Object:
    return {
        **pod_basics(app, user=release.build.user, account=app.name),
        "restartPolicy": "Never",
        # A migration under way gets its time to end or roll back.
        "terminationGracePeriodSeconds": 60,
        **(near(selector(app, WEB)) if folder_on_one_node(app) else {}),
        "containers": [
            {
                "name": "migrate",
                "image": release.build.reference,
                "imagePullPolicy": "IfNotPresent",
                "command": ["python", "-m", "nuages_runtime.migrate"],
                "envFrom": sources(app, release),
                "env": [
                    *variables(app, release, MIGRATE),
                    *({"name": name, "value": value} for name, value in _told(app, release).items()),
                ],
                "resources": resources(app.migrations.resources),
                "securityContext": container_security(),
                "volumeMounts": [
                    *mounts(app, release, uploads=False),
                    *([{"name": "running", "mountPath": RUNNING, "readOnly": True}] if release.running else []),
                ],
            }
        ],
        "volumes": [
            *volumes(app, release, uploads=False),
            *([_running(app, release)] if release.running else []),
        ],
    }
