"""How many pods more a rollout may start where a ResourceQuota leaves little room. Pure.

https://kubernetes.io/docs/concepts/policy/resource-quotas/: a pod that does not fit is refused, and its ReplicaSet
tries again and again. A rollout with `maxUnavailable: 0` would stand still for ever. So it starts as many pods more as
there is room for; where there is none, an old one goes first, which costs its share of the load but loses no request.
The only one there is never goes first: then the quota is told as what it is, the cause of a failure.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal

from nuages.app.objects import Object
from nuages.render.autoscale import pods

_SUFFIX = {"": Decimal(1), "m": Decimal("0.001"), "n": Decimal(10) ** -9, "u": Decimal(10) ** -6}
_SUFFIX |= {unit: Decimal(1024) ** power for power, unit in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)}
_SUFFIX |= {unit: Decimal(1000) ** power for power, unit in enumerate(("k", "M", "G", "T", "P", "E"), 1)}
_SCOPES = frozenset({"NotTerminating", "NotBestEffort"})
"""A quota of these scopes counts our pods too; others count other pods."""

Room = dict[str, Decimal]


def left(quotas: Sequence[Object]) -> Room:
    """What all quotas of a namespace leave, by resource; what none limits is not in it."""
    room: Room = {}
    for quota in quotas:
        spec, status = quota.get("spec", {}), quota.get("status", {})
        if spec.get("scopeSelector") or set(spec.get("scopes", [])) - _SCOPES:
            continue
        for resource, hard in status.get("hard", {}).items():
            free = number(hard) - number(status.get("used", {}).get(resource, "0"))
            name = {"cpu": "requests.cpu", "memory": "requests.memory", "count/pods": "pods"}.get(resource, resource)
            room[name] = min(free, room.get(name, free))
    return room


def needed(pod: Object) -> Room:
    """What one pod takes of a quota."""
    wants: Room = {"pods": Decimal(1)}
    for container in pod["containers"]:
        for kind, amounts in container.get("resources", {}).items():
            for resource, amount in amounts.items():
                name = f"{kind}.{resource}"
                wants[name] = wants.get(name, Decimal(0)) + number(amount)
    return wants


def fitted(deployments: Sequence[Object], room: Room) -> list[Object]:
    """Deployments that roll at the same time, with as many pods more each as there is room for, one after the other.

    Args:
        deployments: as rendered; one that stops its old pods first stays as it is.
        room: see `left`.
    """
    made, free = [], dict(room)
    for item in deployments:
        strategy = item["spec"].get("strategy", {}).get("rollingUpdate")
        if item["kind"] != "Deployment" or not strategy or not strategy.get("maxSurge"):
            made.append(item)
            continue
        wants = {name: amount for name, amount in needed(item["spec"]["template"]["spec"]).items() if name in free}
        most = min((math.floor(free[name] / amount) for name, amount in wants.items() if amount), default=math.inf)
        surge = int(min(strategy["maxSurge"], max(most, 0)))
        if not surge and pods(item) < 2:
            made.append(item)
            continue
        free |= {name: free[name] - surge * amount for name, amount in wants.items()}
        rolling = {**strategy, "maxSurge": surge, **({} if surge else {"maxUnavailable": 1})}
        made.append({**item, "spec": {**item["spec"], "strategy": {"type": "RollingUpdate", "rollingUpdate": rolling}}})
    return made


def number(quantity: str | int) -> Decimal:
    """A quantity in its unit: cores, bytes, pieces.

    https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
    """
    text = str(quantity)
    suffix = text.lstrip("-+.0123456789eE") if text[-1:].isalpha() else ""
    if text.endswith("E"):
        suffix = "E"
    return Decimal(text.removesuffix(suffix)) * _SUFFIX[suffix]
