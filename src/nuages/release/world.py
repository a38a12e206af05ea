"""All that a release may touch: the cluster, a fresh view of its namespace, the lock, and the clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from nuages.kube.client import Cluster
from nuages.kube.watch import Mirror
from nuages.progress import Sink, silent
from nuages.release.locks.lock import Lock


def utc() -> datetime:
    """The time, to the second."""
    return datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True, kw_only=True)
class World:
    """What a phase is given; a test gives it another clock."""

    cluster: Cluster
    mirror: Mirror
    lock: Lock
    serving: int | None = None
    """The release that serves as this one begins."""
    sink: Sink = silent
    now: Callable[[], datetime] = utc
