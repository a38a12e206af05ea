"""Why a workload fails: its worst pod, the one line that matters, the cause and the cure.

`diagnose` fetches (a log, some events) and only for a failure; what it makes of them is pure (`conclude`, `causes`).
"""

from __future__ import annotations

import asyncio
import re

import msgspec

from nuages.app.objects import Object
from nuages.errors import ClusterError, CommandFailed
from nuages.kube.client import Cluster
from nuages.rollout.causes import Evidence, explain
from nuages.rollout.causes.evidence import EVENT
from nuages.rollout.kinds import Failed, View, Waiting, claims, tracker
from nuages.rollout.pods import Symptom, Trouble
from nuages.rollout.tracebacks import last_trace, plain, public, readable, shortened
from nuages.rollout.watcher import pod_troubles
from nuages.spec.units import MEMORY_PATTERN, bytes_of

SHOWN = 25
"""Lines of a log that a person is shown (Krane's number)."""

ENOUGH = 8
"""As many do where the line that matters stands above them already."""

_READ = 400  # lines of a log that are read: a traceback through Django and a server is longer than what is shown
_NO_LOG = ("unable to retrieve container logs", "failed to try resolving symlinks in path")
"""What the kubelet answers, with status 200, where the run left no log, or has none any more."""
_OWN_LINE = frozenset(f"diag.D{number:03}" for number in (30, 37, 40, 46, 71, 77, 91, 92, 93))
"""The causes that an exception beside them says nothing of."""


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """What a person needs to get on: where, what, why, and what to do."""

    object: str
    pod: str = ""
    container: str = ""
    reason: str
    lines: tuple[str, ...] = ()
    cause: str = ""
    hint: str = ""
    id: str = ""
    log: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """One line: the pod and what happened to it."""
        return self.reason

    @property
    def text(self) -> str:
        """The lines that matter, the cause with its id, and the end of the log."""
        parts = [*self.lines]
        if self.cause:
            parts.append(f"cause  {self.cause}  ({self.id})")
        if log := self.log[-ENOUGH:] if self.lines else self.log:
            parts += ["", f"the log of {self.pod} ends with:", *(f"  {line}" for line in log)]
        return "\n".join(parts)


async def diagnose(cluster: Cluster, view: View, workload: Object) -> Diagnosis | None:
    """Find out why a workload fails, or is not done; None where nothing is wrong with it.

    Needs no more than the rights to read pods; without those for logs and events it knows less.
    """
    live = view.get(workload["kind"], workload["metadata"]["name"])
    if live is None:
        return None
    found = pod_troubles(live, view)
    trouble = found[0] if found else None
    return conclude(await _evidence(cluster, live, trouble, view), view)


async def failure(cluster: Cluster, view: View, workload: Object, reason: str) -> CommandFailed:
    """The error of a workload that failed: with its cause, or for the reason that its verdict gave."""
    found = await diagnose(cluster, view, workload)
    if found is None:
        return CommandFailed(reason)
    return CommandFailed(found.summary, detail=found.text, hint=found.hint)


def conclude(evidence: Evidence, view: View) -> Diagnosis | None:
    """Say what the evidence comes to."""
    live, trouble = evidence.workload, evidence.trouble
    verdict = tracker(live["kind"]).verdict(live, view)
    reason = trouble.summary if trouble else verdict.reason if isinstance(verdict, Failed | Waiting) else ""
    cause = explain(evidence)
    if not reason and cause is None:
        return None
    trace = last_trace(evidence.log)
    lines = [] if cause is None else cause.line.splitlines()
    if trace and cause and cause.id not in _OWN_LINE:
        lines = [trace.line, trace.place(_root(trouble)), *(line for line in lines if line.startswith("statement: "))]
    said = [line for line in evidence.log.splitlines() if not line.startswith(EVENT)]
    return Diagnosis(
        object=f"{live['kind']} {live['metadata']['name']}",
        pod=trouble.pod["metadata"]["name"] if trouble else "",
        container=trouble.container if trouble else "",
        reason=reason,
        lines=tuple(public(line) for line in lines if line),
        cause=cause.cause if cause else "",
        hint=cause.hint if cause else "",
        id=cause.id if cause else "",
        log=tuple(shortened(public(readable(line))) for line in said[-SHOWN:]),
    )


async def _evidence(cluster: Cluster, live: Object, trouble: Trouble | None, view: View) -> Evidence:
    """Read the pod's log and the events about it and its owners, side by side."""
    about = [live, *([trouble.pod] if trouble else [])]
    if trouble is None:
        uid = live["metadata"]["uid"]
        owned = view.items("ReplicaSet") if live["kind"] == "Deployment" else []
        about += [one for one in owned if any(ref["uid"] == uid for ref in one["metadata"].get("ownerReferences", ()))]
    async with asyncio.TaskGroup() as group:
        log = group.create_task(_log(cluster, trouble))
        events = [group.create_task(_events(cluster, one)) for one in about]
        events.append(group.create_task(_events_of_claims(cluster, trouble)))
        usual = group.create_task(_usual(cluster, live, trouble))
    told = sorted((event for task in events for event in task.result()), key=_when)
    return Evidence(live, trouble, plain(log.result()), tuple(told), usual.result())


async def _log(cluster: Cluster, trouble: Trouble | None) -> str:
    """The log of the run that tells most: the last one, or where that shows no exception, the one before."""
    if trouble is None or trouble.symptom not in {Symptom.CRASH, Symptom.UNREADY}:
        return ""
    metadata = trouble.pod["metadata"]
    runs = []
    for previous in (False, True):
        try:
            read = await cluster.logs(
                metadata["namespace"], metadata["name"], trouble.container, tail=_READ, previous=previous
            )
        except ClusterError:
            continue  # not started yet, no such run, or no right: the status still says something
        if last_trace(read):
            return read
        if not read.startswith(_NO_LOG):
            runs.append(read)
    return max(runs, key=len, default="")


async def _usual(cluster: Cluster, live: Object, trouble: Trouble | None) -> str:
    """What the most of its like use of memory now; empty where the cluster does not measure it (metrics.k8s.io)."""
    if trouble is None or not trouble.killed_for_memory:
        return ""
    labels = live["spec"].get("selector", {}).get("matchLabels", {})
    try:
        found = await cluster.list("PodMetrics", live["metadata"]["namespace"], labels=labels)
    except ClusterError:
        return ""
    used = [
        bytes_of(one["usage"]["memory"])
        for pod in found.items
        for one in pod["containers"]
        if one["name"] == trouble.container
        and pod["metadata"]["name"] != trouble.pod["metadata"]["name"]
        and re.fullmatch(MEMORY_PATTERN, one["usage"]["memory"])
    ]
    return f"{max(used) / 2**20:.0f}Mi" if used else ""


async def _events(cluster: Cluster, item: Object) -> list[Object]:
    metadata = item["metadata"]
    try:
        found = await cluster.list("Event", metadata["namespace"], fields={"involvedObject.uid": metadata["uid"]})
    except ClusterError:
        return []
    return found.items


async def _events_of_claims(cluster: Cluster, trouble: Trouble | None) -> list[Object]:
    """What is said of the claims without a volume that a pod without a node uses."""
    if trouble is None or trouble.symptom is not Symptom.UNSCHEDULABLE:
        return []
    namespace, found = trouble.pod["metadata"]["namespace"], []
    for name in sorted(claims(trouble.pod)):
        try:
            claim = await cluster.get("PersistentVolumeClaim", namespace, name)
        except ClusterError:
            continue  # no right to read it: the scheduler's words are all there is
        if claim and claim.get("status", {}).get("phase") != "Bound":
            found += await _events(cluster, claim)
    return found


def _when(event: Object) -> str:
    return event.get("lastTimestamp") or event.get("eventTime") or event["metadata"]["creationTimestamp"] or ""


def _root(trouble: Trouble | None) -> str:
    """Where the project lies in the container."""
    containers = trouble.pod["spec"]["containers"] if trouble else []
    named = [one.get("workingDir") for one in containers if trouble and one["name"] == trouble.container]
    return named[0] if named and named[0] else "/app"
