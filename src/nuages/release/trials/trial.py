"""What is kept of a set beside the release that serves: how far it is, and the numbers it is judged by."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from nuages.spec.units import seconds

if TYPE_CHECKING:
    from nuages.spec.model import Canary

PROMOTED, ABORTED = "promoted", "aborted"


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """What one pod has counted since it started, all views together."""

    requests: int = 0
    errors: int = 0
    """Those that were answered with 5xx."""
    buckets: dict[str, int] = {}
    """How many took at most so many seconds, by the bound as Prometheus writes it; `+Inf` has all."""


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One set, from its first pod to its end."""

    kind: str
    """`canary` or `blue-green`."""
    way: str
    """How requests reach it: `gateway`, `replicas` or `service`."""
    steps: tuple[int, ...]
    """The share of the requests at each step, in percent."""
    pause: float
    """Seconds that each step is watched."""
    error_rate: float
    """The share of errors that may come on top of those of the serving release: 0.01."""
    latency: float
    """How many times as slow as the serving release it may be, at the 95th percentile."""
    automatic: bool = False
    """Whether it goes on by itself while all is well; otherwise each step waits for `nuages promote`."""
    step: int = 0
    sized: int | None = None
    """The step for which its pods were made."""
    since: datetime | None = None
    """Since when this step's share of the requests reaches it; None while its pods start."""
    before: dict[str, Counted] = {}
    """What each pod had counted by then."""
    warm: dict[str, Counted] | None = None
    """What each had counted when the new ones were warm: the first requests take longer everywhere. None before."""
    ending: str = ""
    """`promoted` or `aborted`, from then on; a set that is neither stands beside the release that serves."""

    @property
    def percent(self) -> int:
        """The share of the requests at this step."""
        return self.steps[self.step]

    @property
    def last(self) -> bool:
        """Whether what comes next is the whole."""
        return self.step + 1 >= len(self.steps)

    def at(self, step: int) -> Trial:
        """The same at another step, which has not begun."""
        return msgspec.structs.replace(self, step=step, since=None, before={}, warm=None)


def begun(kind: str, way: str, percent: int | None, spec: Canary) -> Trial:
    """The trial of a set that is asked for; one with a share of its own waits for a person there.

    Args:
        kind: `canary` or `blue-green`.
        way: how requests reach it.
        percent: the first share, as asked for; None for the spec's steps, one after the other.
        spec: the spec's `canary`.
    """
    later = tuple(int(step.removesuffix("%")) for step in spec.steps)
    if kind == "blue-green":
        steps: tuple[int, ...] = (100,)
    elif percent is None:
        steps = later
    else:
        steps = (percent, *(step for step in later if step > percent))
    return Trial(
        kind=kind,
        way=way,
        steps=steps,
        pause=seconds(spec.pause),
        error_rate=float(spec.error_rate.removesuffix("%")) / 100,
        latency=float(spec.latency_p95.removesuffix("x")),
        automatic=kind == "canary" and percent is None,
    )
