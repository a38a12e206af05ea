"""A worker: Deployment and disruption budget. No Service, for nobody sends it requests."""

from __future__ import annotations

from nuages.app.components import App, Worker
from nuages.app.objects import Object
from nuages.render.autoscale import autoscaler, fixed, told
from nuages.render.environment import sources, variables, worker_variables
from nuages.render.labels import WORKER, labels, metadata, selector
from nuages.render.pods import alive, container_security, disruption_budget, pod_basics, resources, spread
from nuages.render.release import Release
from nuages.render.storage import mounts, one_node, volumes

COMMAND_READY_SECONDS = 10


def worker(app: App, component: Worker, release: Release) -> list[Object]:
    """All objects of one worker, in order."""
    matching = selector(app, WORKER, component.key)
    return [
        _deployment(app, component, release),
        disruption_budget(metadata(app, component.name, WORKER, component.key), matching),
        *autoscaler(app, component),
    ]


def _deployment(app: App, component: Worker, release: Release) -> Object:
    timing = component.timing
    startup = 2 * timing.startup_period * timing.startup_failures
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": told(metadata(app, component.name, WORKER, component.key), component),
        "spec": {
            **fixed(component),
            "revisionHistoryLimit": 5,
            # Old pods may take their whole grace before new ones find room, or a volume that is one node's.
            "progressDeadlineSeconds": startup + timing.grace,
            # No probe tells of a command that it started well; one that ends at once must not count as available.
            **({"minReadySeconds": COMMAND_READY_SECONDS} if component.command else {}),
            "strategy": _strategy(app),
            "selector": {"matchLabels": selector(app, WORKER, component.key)},
            "template": {
                "metadata": {"labels": labels(app, WORKER, component.key)},
                "spec": _pod(app, component, release),
            },
        },
    }


def _strategy(app: App) -> Object:
    """All old pods stop taking tasks at once, and finish those they have while the new ones start.

    Old code rejects tasks that only new code knows: beside each other on one queue it would lose them.
    """
    if one_node(app):
        return {"type": "Recreate"}
    return {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "100%", "maxSurge": 0}}


def _pod(app: App, component: Worker, release: Release) -> Object:
    return {
        **pod_basics(app, user=release.build.user, account=app.name),
        "terminationGracePeriodSeconds": component.timing.grace,
        "topologySpreadConstraints": spread(selector(app, WORKER, component.key)),
        "containers": [
            {
                "name": "worker",
                "image": release.build.reference,
                "imagePullPolicy": "IfNotPresent",
                "command": component.command or ["python", "-m", f"nuages_runtime.{_module(component)}"],
                "envFrom": sources(app, release),
                "env": [*variables(app, release, WORKER), *worker_variables(component)],
                # A command writes no sign of life: that it runs is all that is known of it.
                **({} if component.command else alive(component.timing)),
                "resources": resources(component.resources),
                "securityContext": container_security(),
                "volumeMounts": mounts(app, release),
            }
        ],
        "volumes": volumes(app, release),
    }


def _module(component: Worker) -> str:
    return "dbtasks" if component.tasks else "worker"
