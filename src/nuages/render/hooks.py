"""What a project wants done beside the phases of a release: a Job in the new image, or a request to an address."""

from __future__ import annotations

from nuages.app import commands
from nuages.app.components import App
from nuages.app.objects import Object
from nuages.render.labels import RUN, labels, metadata
from nuages.render.release import Address, Hook, Release
from nuages.render.run import Run, project
from nuages.spec.model import Hook as Declared

POINTS = ("before-expand", "after-expand", "after-rollout", "released", "failed")
"""Where there may be one, in the order in which a release comes by."""

LIMIT = 600
"""Seconds that a command may take. What takes longer is a job of its own, and no release waits for it."""

KEPT_SECONDS = 7 * 24 * 3600
"""How long a finished Job stays for whoever wants to read its log."""


def hooks(app: App, release: Release, workloads: list[Object]) -> dict[str, Hook]:
    """What is done at each point; `workloads` are what is rolled, of which a command has the environment."""
    found = {point: getattr(app.hooks, point.replace("-", "_")) for point in POINTS}
    return {point: _hook(app, release, workloads, point, declared) for point, declared in found.items() if declared}


def _hook(app: App, release: Release, workloads: list[Object], point: str, declared: Declared) -> Hook:
    if declared.webhook:
        return Hook(webhook=Address(secret=declared.webhook.secret, key=declared.webhook.key))
    return Hook(objects=_job(app, release, workloads, point, commands.in_full(declared)))


def _job(app: App, release: Release, workloads: list[Object], point: str, command: list[str]) -> list[Object]:
    """A Job can't be changed, so the release is in its name; it is run once, for a hook may not be made for twice."""
    templates = [item["spec"]["template"] for item in workloads if "template" in item.get("spec", {})]
    if not templates:
        return []
    name = f"{app.name}-hook-{point}-{release.number}"
    pod = project(app, templates[0], Run(name=name, command=tuple(command), by="", ttl=LIMIT, stdin=False))
    spec = {key: value for key, value in pod["spec"].items() if key != "activeDeadlineSeconds"}
    return [
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": metadata(app, name, RUN),
            "spec": {
                "backoffLimit": 0,
                "completions": 1,
                "parallelism": 1,
                "activeDeadlineSeconds": LIMIT,
                "ttlSecondsAfterFinished": KEPT_SECONDS,
                "template": {"metadata": {"labels": labels(app, RUN)}, "spec": spec},
            },
        }
    ]
