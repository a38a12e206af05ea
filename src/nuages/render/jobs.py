"""The migrate Job: once per release, never by a pod that serves."""

from __future__ import annotations

import json
import math

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.render.environment import sources, variables
from nuages.render.labels import LEAVES, MIGRATE, WEB, labels, metadata, selector
from nuages.render.pods import container_security, pod_basics, resources
from nuages.render.release import Release
from nuages.render.storage import mounts, volumes
from nuages.spec.units import seconds

# A finished Job stays for whoever wants to read its log, until the next release prunes it.
KEPT_SECONDS = 7 * 24 * 3600
# What Django calls the databases that are reached over a network (`connection.vendor`).
SERVERS = {"postgresql", "mysql", "oracle", "microsoft"}


def migrate(app: App, release: Release) -> list[Object]:
    """The Job that brings the databases to what the image expects; none where there is nothing to migrate.

    A Job can't be changed, so the release is in its name. It does not retry by itself: a migration that failed
    is to be looked at, and a release tries again under a new name.
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
                "completions": 1,
                "parallelism": 1,
                "activeDeadlineSeconds": math.ceil(seconds(app.migrations.timeout)),
                "ttlSecondsAfterFinished": KEPT_SECONDS,
                "template": {"metadata": {"labels": labels(app, MIGRATE)}, "spec": _pod(app, release)},
            },
        }
    ]


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


def _lock_timeout(app: App) -> str:
    """In PostgreSQL's own units: its `m` is no minute."""
    return f"{round(seconds(app.migrations.lock_timeout) * 1000)}ms"


def _pod(app: App, release: Release) -> Object:
    return {
        **pod_basics(app, user=release.build.user, account=app.name),
        "restartPolicy": "Never",
        # A migration under way gets its time to end or roll back.
        "terminationGracePeriodSeconds": 60,
        **_beside(app),
        "containers": [
            {
                "name": "migrate",
                "image": release.build.reference,
                "imagePullPolicy": "IfNotPresent",
                "command": ["python", "-m", "nuages_runtime.migrate"],
                "envFrom": sources(app, release),
                "env": [
                    *variables(app, release, MIGRATE),
                    {"name": "NUAGES_LOCK_TIMEOUT", "value": _lock_timeout(app)},
                ],
                "resources": resources(app.migrations.resources),
                "securityContext": container_security(),
                "volumeMounts": mounts(app, release, uploads=False),
            }
        ],
        "volumes": volumes(app, release, uploads=False),
    }


def _beside(app: App) -> Object:
    """On the node of the pods that serve, where a folder's volume is one node's."""
    if not any(volume.one_node for volume in app.volumes.values()):
        return {}
    near = {"labelSelector": {"matchLabels": selector(app, WEB)}, "topologyKey": "kubernetes.io/hostname"}
    term = {"weight": 100, "podAffinityTerm": near}
    return {"affinity": {"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [term]}}}
