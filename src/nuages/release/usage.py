"""What pods use, and what they asked for. Pure: pods and what the cluster measured of them in, numbers out.

What is used is measured by metrics-server, or what stands in for it, every 15 s; a cluster may have none
(https://kubernetes.io/docs/tasks/debug/debug-cluster/resource-metrics-pipeline/).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from nuages.app.objects import Object

# https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/: what the API writes, not what a
# person may write in a spec (spec/units.py).
_UNITS = {
    "n": 1e-9,
    "u": 1e-6,
    "m": 1e-3,
    "": 1.0,
    **{unit: 1000.0**power for power, unit in enumerate(("k", "M", "G", "T", "P", "E"), 1)},
    **{f"{unit}i": 1024.0**power for power, unit in enumerate(("K", "M", "G", "T", "P", "E"), 1)},
}
MEBI = 1024**2


class Usage(NamedTuple):
    """CPU in thousandths of a core, memory in bytes; None where nothing measures it, or nobody asked for it."""

    cpu: int | None = None
    memory: int | None = None
    cpu_request: int | None = None
    memory_request: int | None = None
    memory_limit: int | None = None
    """Beyond it a container is killed."""


def measured(metrics: Iterable[Object]) -> dict[str, tuple[int, int]]:
    """PodMetrics -> what each pod uses: thousandths of a core, bytes."""
    return {
        one["metadata"]["name"]: (
            round(1000 * sum(quantity(each["usage"].get("cpu", "0")) for each in one["containers"])),
            round(sum(quantity(each["usage"].get("memory", "0")) for each in one["containers"])),
        )
        for one in metrics
    }


def of_pod(pod: Object, found: dict[str, tuple[int, int]] | None) -> Usage:
    """One pod: what it uses, where that is measured, beside what its containers asked for together."""
    wanted = [each.get("resources", {}) for each in pod["spec"]["containers"]]
    cpu, memory = (found or {}).get(pod["metadata"]["name"], (None, None))
    return Usage(
        cpu=cpu,
        memory=memory,
        cpu_request=_sum(wanted, "requests", "cpu", 1000),
        memory_request=_sum(wanted, "requests", "memory"),
        memory_limit=_sum(wanted, "limits", "memory"),
    )


def together(usages: Iterable[Usage]) -> Usage:
    """Several pods as one: what is known to be used, and a bound only where each of them has one."""
    all_of = list(usages)
    return Usage(
        cpu=_known(each.cpu for each in all_of),
        memory=_known(each.memory for each in all_of),
        cpu_request=_all(each.cpu_request for each in all_of),
        memory_request=_all(each.memory_request for each in all_of),
        memory_limit=_all(each.memory_limit for each in all_of),
    )


def quantity(text: str) -> float:
    """250m is 0.25, 12345678n is 0.012, 128Mi is 134217728."""
    number = text.rstrip("numkKMGTPEi")
    return float(number) * _UNITS[text[len(number) :]]


def cpu(thousandths: int) -> str:
    """As a spec has it: 250m, 1.5."""
    return f"{thousandths}m" if thousandths < 1000 else f"{thousandths / 1000:.3g}"


def memory(amount: int) -> str:
    """As a spec has it, to three digits: 180Mi, 1.5Gi."""
    return f"{amount / MEBI:.0f}Mi" if amount < 1000 * MEBI else f"{amount / MEBI / 1024:.3g}Gi"


def _known(numbers: Iterable[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None


def _all(numbers: Iterable[int | None]) -> int | None:
    every = list(numbers)
    return sum(filter(None, every)) if every and None not in every else None


def _sum(wanted: list[Object], kind: str, what: str, factor: int = 1) -> int | None:
    """None where a container does not say it: then there is no such bound for the pod."""
    said = [each.get(kind, {}).get(what) for each in wanted]
    return None if None in said else round(factor * sum(quantity(str(one)) for one in said))
