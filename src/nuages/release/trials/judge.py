"""Whether the new release answers as well as the one that serves, from what their pods counted meanwhile. Pure.

Both questions are about a share: of requests that failed, of requests that were slow. A share that was counted among
few requests may be chance, so `Bad` needs its lower bound (Wilson's interval) beyond what is allowed, and `Good` needs
enough requests on both sides. In between nobody knows, and a person decides.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from nuages.release.trials.trial import Counted

ENOUGH = 100
"""Requests on each side below which nothing is said for the new release."""

Z = 3.0
"""Standard deviations: it is looked at again and again, and one look of a hundred must not be wrong by chance."""

FASTEST = 0.01
"""Seconds, the smallest bucket: below it a ratio of two times is a ratio of two guesses."""

SLOW = 0.05
"""The share of requests that are slower than the 95th percentile."""

ALL = "+Inf"


class Good(NamedTuple):
    """As well as the other, among so many requests."""

    why: str


class Bad(NamedTuple):
    """Worse, beyond chance."""

    why: str


class Unknown(NamedTuple):
    """Too little is known."""

    why: str


Judged = Good | Bad | Unknown


def worse(one: Judged, other: Judged) -> Judged:
    """The graver of two answers; of two that are good both."""
    if isinstance(one, Good) and isinstance(other, Good):
        return Good(f"{one.why}, {other.why}")
    return next(each for kind in (Bad, Unknown) for each in (one, other) if isinstance(each, kind))


def since(before: dict[str, Counted], now: dict[str, Counted]) -> Counted:
    """What pods counted since then, all together; one that started anew counts from nothing."""
    requests = errors = 0
    buckets: dict[str, int] = {}
    for pod, counted in now.items():
        then = before.get(pod, Counted())
        if then.requests > counted.requests:
            then = Counted()
        requests += counted.requests - then.requests
        errors += counted.errors - then.errors
        for bound, count in counted.buckets.items():
            buckets[bound] = buckets.get(bound, 0) + count - then.buckets.get(bound, 0)
    return Counted(requests=requests, errors=errors, buckets=buckets)


def judge(new: Counted, old: Counted, *, error_rate: float) -> Judged:
    """Compare the errors that both counted in the same time.

    Args:
        new: the set's pods.
        old: those of the release that serves.
        error_rate: by how much the share of errors may be higher: 0.01.
    """
    allowed = error_rate + (old.errors / old.requests if old.requests else 0)
    if lower(new.errors, new.requests) > allowed:
        return Bad(f"{new.errors} of {new.requests} requests failed, {old.errors} of {old.requests} beside it")
    for named, counted in (("the new release", new), ("the serving release", old)):
        if counted.requests < ENOUGH:
            return Unknown(f"{named} answered {counted.requests} requests, which says too little")
    if new.errors > allowed * new.requests:
        return Unknown(f"{new.errors} of {new.requests} requests failed, which may be chance")
    return Good(f"{new.errors} of {new.requests} requests failed")


def judge_time(new: Counted, old: Counted, *, latency: float) -> Judged:
    """Compare how long both took, once the new pods are warm.

    Args:
        new: the set's pods.
        old: those of the release that serves.
        latency: how many times as slow the 95th percentile may be: 1.2.
    """
    limit = max(percentile(old, 1 - SLOW), FASTEST) * latency
    timed = new.buckets.get(ALL, 0)
    slow = timed - within(new, limit)
    if min(timed, old.buckets.get(ALL, 0)) < ENOUGH:
        return Unknown("too few requests to compare how long they take")
    if lower(slow, timed) > SLOW:
        return Bad(f"{slow} of {timed} requests took longer than {limit * 1000:.0f} ms, 5 % are allowed")
    if slow > SLOW * timed:
        return Unknown(f"{slow} of {timed} requests took longer than {limit * 1000:.0f} ms, which may be chance")
    return Good(f"{slow} took longer than {limit * 1000:.0f} ms")


def lower(found: int, of: int) -> float:
    """Wilson's lower bound of a share: https://en.wikipedia.org/wiki/Binomial_proportion_confidence_interval"""
    if not of:
        return 0.0
    share = found / of
    middle = share + Z * Z / (2 * of)
    spread = Z * math.sqrt(share * (1 - share) / of + Z * Z / (4 * of * of))
    return max(0.0, (middle - spread) / (1 + Z * Z / of))


def percentile(counted: Counted, share: float) -> float:
    """The time within which this share of the requests was answered, between two bounds as if evenly spread."""
    wanted, reached, bound = share * counted.buckets.get(ALL, 0), 0, 0.0
    for end, total in _bounds(counted):
        if total >= wanted:
            return bound + (end - bound) * ((wanted - reached) / (total - reached) if total > reached else 0)
        reached, bound = total, end
    return bound


def within(counted: Counted, limit: float) -> int:
    """How many requests were answered within a time."""
    reached, bound = 0, 0.0
    for end, total in _bounds(counted):
        if end >= limit:
            return round(reached + (total - reached) * (limit - bound) / (end - bound))
        reached, bound = total, end
    return reached


def read(text: str) -> Counted:
    """What a pod's page of metrics counts; a websocket lasts, and says nothing about time.

    https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
    """
    requests = errors = 0
    buckets: dict[str, int] = {}
    for line in text.splitlines():
        name, _, rest = line.partition("{")
        labels, _, value = rest.rpartition("} ")
        if name == "nuages_http_requests_total":
            requests += int(float(value))
            errors += int(float(value)) if _label(labels, "status").startswith("5") else 0
        elif name == "nuages_http_request_duration_seconds_bucket" and _label(labels, "method") != "WEBSOCKET":
            bound = _label(labels, "le")
            buckets[bound] = buckets.get(bound, 0) + int(float(value))
    return Counted(requests=requests, errors=errors, buckets=buckets)


def _label(labels: str, name: str) -> str:
    return f",{labels}".partition(f',{name}="')[2].partition('"')[0]


def _bounds(counted: Counted) -> list[tuple[float, int]]:
    """Bounds and counts in order, without the last one, which has no end."""
    return sorted((float(bound), count) for bound, count in counted.buckets.items() if bound != ALL)
