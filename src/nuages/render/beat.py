"""Beat: a StatefulSet of one, since a Deployment may run two for a moment, and every task would be sent twice.

Its schedule is on a volume: beat counts from when it began where that is lost (celery/beat.py, `last_run_at`), and a
task of once a day would never be sent under a release a day.
"""

from __future__ import annotations

from nuages.app.components import App, Beat
from nuages.app.objects import Object
from nuages.render.environment import BEAT_FOLDER, beat_variables, sources, variables
from nuages.render.labels import BEAT, labels, metadata, selector
from nuages.render.pods import alive, container_security, pod_basics, resources
from nuages.render.release import Release
from nuages.render.storage import mounts, volumes

SCHEDULE = "schedule"
SIZE = "64Mi"


def beat(app: App, release: Release) -> list[Object]:
    """The objects of beat; none where the app has none. It has no disruption budget: nobody waits for its answer."""
    if app.beat is None:
        return []
    return [
        {
            "apiVersion": "apps/v1",
            "kind": "StatefulSet",
            "metadata": metadata(app, app.beat.name, BEAT),
            "spec": {
                # Nobody asks for it by name, so there is no Service of this name.
                "serviceName": app.beat.name,
                "replicas": 1,
                "revisionHistoryLimit": 5,
                # In order, a broken pod would never give way to the mended one; of one pod there is no order.
                "podManagementPolicy": "Parallel",
                "selector": {"matchLabels": selector(app, BEAT)},
                "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
                "template": {"metadata": {"labels": labels(app, BEAT)}, "spec": _pod(app, app.beat, release)},
                "volumeClaimTemplates": [_claim(app)],
            },
        }
    ]


def _claim(app: App) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": SCHEDULE, "labels": labels(app, BEAT), "annotations": {"nuages.dev/data": "true"}},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": SIZE}}},
    }


def _pod(app: App, component: Beat, release: Release) -> Object:
    return {
        **pod_basics(app, user=release.build.user, account=app.name),
        "terminationGracePeriodSeconds": component.timing.grace,
        "containers": [
            {
                "name": "beat",
                "image": release.build.reference,
                "imagePullPolicy": "IfNotPresent",
                "command": ["python", "-m", "nuages_runtime.beat"],
                "envFrom": sources(app, release),
                "env": [*variables(app, release, BEAT), *beat_variables(component)],
                **alive(component.timing),
                "resources": resources(component.resources),
                "securityContext": container_security(),
                "volumeMounts": [
                    *mounts(app, release, uploads=False),
                    {"name": SCHEDULE, "mountPath": BEAT_FOLDER},
                ],
            }
        ],
        "volumes": volumes(app, release, uploads=False),
    }
