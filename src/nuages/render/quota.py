"""What an environment may take together (ResourceQuota), and what a container takes that says nothing (LimitRange)."""

from __future__ import annotations

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.render.labels import RIGHTS, metadata
from nuages.spec.units import canonical_cpu, canonical_memory

SMALL = {"cpu": "100m", "memory": "128Mi"}


def quota(app: App) -> list[Object]:
    """Both objects, where the spec has limits. Pods that have ended don't count.

    https://kubernetes.io/docs/concepts/policy/resource-quotas/: where memory limits are counted, a pod without one is
    refused; whoever starts one by hand is given one by the LimitRange.
    """
    if app.limits is None:
        return []
    wanted = app.limits
    hard = {
        **({"requests.cpu": canonical_cpu(wanted.cpu)} if wanted.cpu else {}),
        **({"limits.memory": canonical_memory(wanted.memory)} if wanted.memory else {}),
        **({"requests.storage": canonical_memory(wanted.storage)} if wanted.storage else {}),
        **({"pods": str(wanted.pods)} if wanted.pods else {}),
    }
    if not hard:
        return []
    about = metadata(app, app.name, RIGHTS)
    return [
        {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": about, "spec": {"hard": hard}},
        {
            "apiVersion": "v1",
            "kind": "LimitRange",
            "metadata": about,
            "spec": {
                "limits": [{"type": "Container", "defaultRequest": SMALL, "default": {"memory": SMALL["memory"]}}]
            },
        },
    ]
