"""Jobs that look after waiting tasks: made from a worker of the release whose tasks they are."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

from nuages.app.objects import Object
from nuages.render.labels import COMPONENT, KEY, MIGRATE, TRACK
from nuages.render.pods import container_security

KEPT_SECONDS = 24 * 3600
CELERY = "NUAGES_CELERY_APP"
OLD = "old"
"""The track of workers that stay for the tasks that only they know."""

NAMES = "nuages.dev/tasks"
"""On such a worker: those tasks, comma-separated."""

_BASICS = ("serviceAccountName", "automountServiceAccountToken", "enableServiceLinks", "securityContext")
_OF_A_WORKER = ("startupProbe", "readinessProbe", "livenessProbe", "args")


def celery(workers: Sequence[Object]) -> list[Object]:
    """Those of the workers' Deployments that are Celery's."""
    return [item for item in workers if item["kind"] == "Deployment" and variable(item, CELERY)]


def variable(worker: Object, name: str) -> str:
    """A plain variable of a Deployment's container; "" where it has none of that name."""
    env = worker["spec"]["template"]["spec"]["containers"][0].get("env", [])
    return next((one.get("value", "") for one in env if one["name"] == name), "")


def job(
    worker: Object,
    name: str,
    command: Sequence[str],
    *,
    seconds: int,
    variables: Mapping[str, str] | None = None,
    tries: int = 2,
) -> Object:
    """A Job in a worker's surroundings that looks after its queues.

    Args:
        worker: the Deployment of a Celery worker.
        name: the Job's.
        command: behind `python -m nuages_runtime.queues`.
        seconds: how long it may take.
        variables: what its container is told beside what the worker is.
        tries: how often it is begun anew where it fails.
    """
    template = worker["spec"]["template"]
    about = {key: value for key, value in template["metadata"]["labels"].items() if key not in (KEY, TRACK)}
    labels = about | {COMPONENT: MIGRATE}
    spec = copy.deepcopy(template["spec"])
    container = {key: value for key, value in spec["containers"][0].items() if key not in _OF_A_WORKER}
    told = [{"name": key, "value": value} for key, value in (variables or {}).items()]
    container |= {
        "name": "tasks",
        "command": ["python", "-m", "nuages_runtime.queues", *command],
        "env": [*container.get("env", []), *told],
        "securityContext": container_security(),
    }
    kept = {key: spec[key] for key in (*_BASICS, "imagePullSecrets", "volumes") if key in spec}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": worker["metadata"]["namespace"], "labels": labels},
        "spec": {
            "backoffLimit": tries - 1,
            "completions": 1,
            "parallelism": 1,
            "activeDeadlineSeconds": seconds,
            "ttlSecondsAfterFinished": KEPT_SECONDS,
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    **kept,
                    "restartPolicy": "Never",
                    "terminationGracePeriodSeconds": 5,
                    "containers": [container],
                },
            },
        },
    }


def kept(worker: Object, names: Sequence[str]) -> Object:
    """One pod like those of a worker's Deployment as it is now, which stays when that one gets another template.

    Args:
        worker: the Deployment, as the cluster has it.
        names: the tasks for which it stays.
    """
    about, spec = worker["metadata"], worker["spec"]
    own = {TRACK: OLD, KEY: f"{about['labels'][KEY]}.{OLD}"}
    template = copy.deepcopy(spec["template"])
    template["metadata"] = {"labels": template["metadata"]["labels"] | own}
    for spread in template["spec"].get("topologySpreadConstraints", []):
        spread["labelSelector"]["matchLabels"] |= own
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": f"{about['name']}-{OLD}",
            "namespace": about["namespace"],
            "labels": about["labels"] | own,
            "annotations": {NAMES: ",".join(names)},
        },
        "spec": {
            "replicas": 1,
            "revisionHistoryLimit": 0,
            "progressDeadlineSeconds": spec["progressDeadlineSeconds"],
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": spec["selector"]["matchLabels"] | own},
            "template": template,
        },
    }
