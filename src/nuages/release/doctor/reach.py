"""The cluster as such: whether it answers, in which version, whom it takes us for, and what time it is there."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from nuages.errors import ClusterError, Forbidden
from nuages.kube.client import Cluster
from nuages.release.doctor.findings import Look, broken, poor, unknown, works

GROUP = "cluster"
OLDEST = (1, 29)
"""With native sidecars (https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/) on by default."""

SKEW = 30.0
"""Seconds by which clocks may differ: a lock's life, tokens and certificates are judged by them."""

BEHIND = 3
"""Minor versions that a kubelet may be older than the API server: https://kubernetes.io/releases/version-skew-policy/"""


async def look(cluster: Cluster, tested: str) -> AsyncIterator[Look]:
    """All of it.

    Raises:
        ClusterError: nobody answers, or nobody knows us.
    """
    begun = time.monotonic()
    found = await cluster.version()
    took = (time.monotonic() - begun) * 1000
    yield works(GROUP, "answers", f"{cluster.server} (context {cluster.context}), in {took:.0f} ms")
    yield version(found, tested)
    yield works(GROUP, "knows us", await who(cluster))
    before = datetime.now(UTC)
    there = await cluster.clock()
    yield clock("clock", there, before, datetime.now(UTC))
    yield await _nodes(cluster, found)


async def who(cluster: Cluster) -> str:
    """The name by which the cluster knows us.

    Raises:
        Forbidden: it does not know us.
    """
    try:
        return str((await cluster.review("SelfSubjectReview"))["userInfo"]["username"])
    except Forbidden:
        raise
    except ClusterError:
        return "by a name that it does not tell"


def version(found: str, tested: str) -> Look:
    """Whether nuages, which is tested with another, knows such a server; pure."""
    minor, known = _minor(found), _minor(tested)
    if minor < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        return broken(GROUP, "version", f"{found} is older than {oldest}", f"bring the cluster to {oldest} or newer")
    if minor > (known[0], known[1] + BEHIND):
        return poor(GROUP, "version", f"{found}; nuages is tested with {tested}", "a newer nuages may know more")
    return works(GROUP, "version", f"{found}; nuages is tested with {tested}")


def clock(topic: str, there: str, before: datetime, after: datetime) -> Look:
    """Whether a clock elsewhere, read between two moments of ours, agrees with this machine's; pure."""
    try:
        moment = parsedate_to_datetime(there)
    except ValueError:
        return unknown(GROUP, topic, "the cluster does not say what time it is")
    return judged(GROUP, topic, moment, before, after)


def judged(group: str, topic: str, there: datetime, before: datetime, after: datetime) -> Look:
    """The same, of a moment; pure."""
    late = max((before - there).total_seconds(), (there - after).total_seconds(), 0.0)
    if late <= SKEW:
        return works(group, topic, "agrees with this machine's")
    way = "behind" if there < before else "ahead of"
    cure = "let NTP set the clock of both: locks, tokens and certificates are judged by it"
    return broken(group, topic, f"{late:.0f} s {way} this machine's", cure)


def nodes(found: Iterable[tuple[str, str, bool]], server: str) -> Look:
    """How nodes are: name, the kubelet's version, whether ready; pure."""
    known = list(found)
    ready = [name for name, _, is_ready in known if is_ready]
    if not ready:
        return broken(GROUP, "nodes", "none is ready", "pods have nowhere to run; whoever runs the cluster sees why")
    newest, oldest = _minor(server), (_minor(server)[0], _minor(server)[1] - BEHIND)
    odd = [f"{name} {kubelet}" for name, kubelet, _ in known if not oldest <= _minor(kubelet) <= newest]
    if odd:
        cure = f"the kubelet may be up to {BEHIND} minor versions older than the server, and never newer"
        return poor(GROUP, "nodes", f"{', '.join(odd)} beside {server}", cure)
    late = [name for name, _, is_ready in known if not is_ready]
    if late:
        return poor(
            GROUP, "nodes", f"{len(ready)} of {len(known)} ready; not {', '.join(late)}", "kubectl describe node"
        )
    return works(GROUP, "nodes", f"{len(ready)} ready")


async def _nodes(cluster: Cluster, server: str) -> Look:
    try:
        found = (await cluster.list("Node")).items
    except Forbidden:
        return unknown(GROUP, "nodes", "we may not look at them, and need not")
    return nodes(
        [
            (
                item["metadata"]["name"],
                item["status"]["nodeInfo"]["kubeletVersion"],
                any(one["type"] == "Ready" and one["status"] == "True" for one in item["status"]["conditions"]),
            )
            for item in found
        ],
        server,
    )


def _minor(text: str) -> tuple[int, int]:
    """v1.34.10, and what providers make of it: v1.33.5-eks-1a2b, v1.32.9+k3s1."""
    parts = re.match(r"v?(\d+)\.(\d+)", text)
    return (int(parts[1]), int(parts[2])) if parts else (0, 0)
