"""Schedules: a CronJob each, in the image and the environment of the release.

https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/. A release changes what starts from then on; what
runs ends as it began. A pod of a schedule is asked nothing: that its command ended, and how, is all there is to know.
"""

from __future__ import annotations

import math

from nuages.app import commands
from nuages.app.components import App, Scheduled
from nuages.app.objects import Object
from nuages.render.environment import sources, variables
from nuages.render.labels import SCHEDULE, WEB, labels, metadata, selector
from nuages.render.pods import container_security, near, pod_basics, resources
from nuages.render.release import Release
from nuages.render.storage import mounts, one_node, volumes
from nuages.spec.units import seconds

POLICY = {"forbid": "Forbid", "allow": "Allow", "replace": "Replace"}
GRACE_SECONDS = 30
"""From SIGTERM to the end of a command that is ended: replaced, out of time, or on a node that is drained."""


def schedules(app: App, release: Release) -> list[Object]:
    """The CronJobs, in the spec's order."""
    return [_cron_job(app, component, release) for component in app.schedules.values()]


def _cron_job(app: App, component: Scheduled, release: Release) -> Object:
    schedule = component.schedule
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": metadata(app, component.name, SCHEDULE, component.key),
        "spec": {
            "schedule": schedule.cron,
            "timeZone": schedule.time_zone,
            "concurrencyPolicy": POLICY[schedule.overlap],
            "suspend": schedule.suspended,
            # Without it, a hundred missed times (a control plane that was away) stop the schedule for ever.
            "startingDeadlineSeconds": math.ceil(seconds(schedule.starting_deadline)),
            "successfulJobsHistoryLimit": schedule.history,
            "failedJobsHistoryLimit": schedule.history,
            "jobTemplate": {
                "metadata": {"labels": labels(app, SCHEDULE, component.key)},
                "spec": {
                    "backoffLimit": schedule.retries,
                    # A pod that was evicted or preempted is no failure; that is not one of the tries.
                    # https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-failure-policy
                    "podFailurePolicy": {
                        "rules": [
                            {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
                        ]
                    },
                    "completions": 1,
                    "parallelism": 1,
                    "activeDeadlineSeconds": math.ceil(seconds(schedule.timeout)),
                    "template": {
                        "metadata": {"labels": labels(app, SCHEDULE, component.key)},
                        "spec": _pod(app, component, release),
                    },
                },
            },
        },
    }


def _pod(app: App, component: Scheduled, release: Release) -> Object:
    return {
        **pod_basics(app, user=release.build.user, account=app.name),
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        **(near(selector(app, WEB)) if one_node(app) else {}),
        "containers": [
            {
                "name": SCHEDULE,
                "image": release.build.reference,
                "imagePullPolicy": "IfNotPresent",
                "command": commands.in_full(component.schedule),
                "envFrom": sources(app, release),
                "env": variables(app, release, SCHEDULE),
                "resources": resources(component.schedule.resources),
                "securityContext": container_security(),
                "volumeMounts": mounts(app, release),
            }
        ],
        "volumes": volumes(app, release),
    }
