"""How many pods there are of what scales by itself: at first, and at most."""

from __future__ import annotations

from nuages.spec.model import Autoscale


def at_first(replicas: int, scale: Autoscale | None) -> int:
    """How many a release begins with where none run yet: what is declared, within the bounds, and at least one.

    A worker that may be at rest begins with one all the same: a release shows that it starts.
    """
    return replicas if scale is None else max(1, scale.min, min(replicas, scale.max))


def at_most(replicas: int, scale: Autoscale | None) -> int:
    """How many there may be, a rollout's surge apart: what budgets are counted with."""
    return replicas if scale is None else scale.max
