"""What keeps a pod from being ready, read from its status, and from when on waiting is pointless. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from nuages.app.objects import Object
from nuages.rollout.exits import in_words

AT_ONCE = timedelta(0)

CRASHES = 2
"""After so many crashes a start is hopeless: the second came in the same surroundings as the first."""

CONFIG_PATIENCE = timedelta(seconds=5)
"""The kubelet may see a Secret or ConfigMap that was made just before the pod a moment late."""

PULL_PATIENCE = timedelta(seconds=20)
"""The kubelet pulls again 10 s after the first error: two errors fit in, a registry's hiccup does not last as long."""

SCHEDULING_PATIENCE = timedelta(minutes=2)
"""What a cluster's autoscaler usually needs to bring a node."""

_NOT_SYNCED = "failed to sync"
"""What the kubelet says of a Secret or ConfigMap that it has not heard of yet; a busy one does long, and asks again.
Rule: https://github.com/kubernetes/kubernetes/blob/v1.34.1/pkg/kubelet/util/manager/watch_based_manager.go"""

_PULL_REASONS = frozenset({"ErrImagePull", "ImagePullBackOff", "ImageInspectError", "RegistryUnavailable"})
_REFUSED = (
    *("not found", "manifest unknown", "denied", "unauthorized", "authorization failed", "no basic auth"),
    *("no match for platform", "no matching manifest"),
)


class Symptom(StrEnum):
    """How a pod is unwell."""

    CRASH = "crash"
    CONFIG = "config"
    IMAGE = "image"
    UNSCHEDULABLE = "unschedulable"
    NODE = "node"
    STARTING = "starting"
    UNREADY = "unready"


class Trouble(NamedTuple):
    """One thing that keeps a pod from being ready; waiting beyond `hopeless` is in vain (None: one cannot tell)."""

    symptom: Symptom
    summary: str
    pod: Object
    container: str = ""
    message: str = ""
    exit_code: int | None = None
    killed_for_memory: bool = False
    ended: bool = False  # the log to read is that of the run that ended, not of one under way
    restarts: int = 0
    hopeless: datetime | None = None

    def fatal(self, now: datetime) -> bool:
        """Whether the wait is over."""
        return self.hopeless is not None and now >= self.hopeless

    @property
    def telling(self) -> tuple[int, int]:
        """What sorts first tells most: the symptom that explains the others, and of equal ones the most restarts."""
        return list(Symptom).index(self.symptom), -self.restarts


def troubles(pod: Object) -> list[Trouble]:
    """All that is wrong with a pod, the worst first; empty where it is ready, done or being deleted."""
    status = pod.get("status", {})
    if pod["metadata"].get("deletionTimestamp") or status.get("phase") == "Succeeded" or _ready(status):
        return []
    if lost := _lost(pod):
        return [lost]
    found = [*_unschedulable(pod)]
    for one in (*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())):
        found += _container(pod, one)
    return sorted(found, key=lambda trouble: trouble.telling)


def moment(timestamp: str) -> datetime:
    """Read the API's timestamps."""
    return datetime.fromisoformat(timestamp).astimezone(UTC)


def _ready(status: Object) -> bool:
    return any(one["type"] == "Ready" and one["status"] == "True" for one in status.get("conditions", ()))


def _lost(pod: Object) -> Trouble | None:
    """A pod that its node gave up (evicted, refused), or whose node does not answer any more.

    The controllers make another one in its place, so none of this ends a wait.
    """
    name, status = pod["metadata"]["name"], pod.get("status", {})
    if status.get("phase") == "Failed" and status.get("reason") not in {None, "", "DeadlineExceeded", "Error"}:
        said = f"{status['reason']}: {status.get('message', '')}"
        return Trouble(Symptom.NODE, f"{name} was ended by its node ({status['reason']})", pod, message=said)
    states = status.get("containerStatuses", ())
    ready: Object = next((one for one in status.get("conditions", ()) if one["type"] == "Ready"), {})
    taken = ready.get("status") in {"False", "Unknown"} and ready.get("reason") != "ReadinessGatesNotReady"
    if taken and states and all(one.get("ready") for one in states):
        # The kubelet says both in one write: where they differ, the node's controller has taken its word away.
        node = pod["spec"].get("nodeName", "its node")
        return Trouble(Symptom.NODE, f"{name} runs on {node}, which does not answer", pod, message="NodeNotReady")
    return None


def _unschedulable(pod: Object) -> Iterator[Trouble]:
    for one in pod.get("status", {}).get("conditions", ()):
        if one["type"] == "PodScheduled" and one["status"] == "False" and one.get("reason") == "Unschedulable":
            yield Trouble(
                Symptom.UNSCHEDULABLE,
                f"{pod['metadata']['name']} finds no node",
                pod,
                message=one.get("message", ""),
                hopeless=moment(one["lastTransitionTime"]) + SCHEDULING_PATIENCE,
            )


def _container(pod: Object, status: Object) -> Iterator[Trouble]:
    """Judge one container by its state and, while it waits to be started again, by how it ended last."""
    name, state = pod["metadata"]["name"], status.get("state", {})
    waiting, ended = state.get("waiting"), state.get("terminated")
    reason, message = (waiting or {}).get("reason", ""), (waiting or {}).get("message", "")
    if waiting and reason != "CrashLoopBackOff" and not _broke_at_start(reason):
        yield _held_up(pod, status, reason, message)
    elif waiting or (ended and ended["exitCode"]):
        last = ended or status.get("lastState", {}).get("terminated") or {}
        crashes, code = status.get("restartCount", 0) + 1, last.get("exitCode")
        times = {1: "crashed", 2: "crashed twice"}.get(crashes, f"crashed {crashes} times")
        yield Trouble(
            Symptom.CRASH,
            f"{name} {times}"
            + (f" ({in_words(code, memory=last.get('reason') == 'OOMKilled')})" if code is not None else ""),
            pod,
            status["name"],
            last.get("message") or message,
            exit_code=code,
            killed_for_memory=last.get("reason") == "OOMKilled",
            ended=True,
            restarts=status.get("restartCount", 0),
            hopeless=datetime.min.replace(tzinfo=UTC) if crashes >= CRASHES else None,
        )
    elif state.get("running") and not status.get("ready"):
        restarts = status.get("restartCount", 0)
        again = f", started {restarts + 1} times" if restarts else ""
        yield Trouble(
            Symptom.UNREADY, f"{name} is running but not ready{again}", pod, status["name"], restarts=restarts
        )


def _held_up(pod: Object, status: Object, reason: str, message: str) -> Trouble:
    """A container that was never started in this run: its image, its configuration, or only not its turn yet."""
    name, container = pod["metadata"]["name"], status["name"]
    if reason in {"ErrImageNeverPull", "InvalidImageName"}:
        return Trouble(
            Symptom.IMAGE, f"{name} has no image", pod, container, f"{reason}: {message}", hopeless=_after(pod, AT_ONCE)
        )
    if reason in _PULL_REASONS:
        refused = reason == "ImagePullBackOff" and any(word in message for word in _REFUSED)
        patience = AT_ONCE if refused else PULL_PATIENCE
        return Trouble(
            Symptom.IMAGE, f"{name} cannot pull its image", pod, container, message, hopeless=_after(pod, patience)
        )
    if reason == "CreateContainerConfigError" and _NOT_SYNCED not in message:
        hopeless = _after(pod, CONFIG_PATIENCE)
        return Trouble(Symptom.CONFIG, f"{name} lacks configuration", pod, container, message, hopeless=hopeless)
    return Trouble(Symptom.STARTING, f"{name} is starting", pod, container, message)


def _broke_at_start(reason: str) -> bool:
    """The container runtime could not start the program: no such command, no right to run it."""
    return reason in {"RunContainerError", "CreateContainerError", "StartError"}


def _after(pod: Object, patience: timedelta) -> datetime:
    """So long after the pod got its node, or was made."""
    for one in pod.get("status", {}).get("conditions", ()):
        if one["type"] == "PodScheduled" and one["status"] == "True":
            return moment(one["lastTransitionTime"]) + patience
    return moment(pod["metadata"]["creationTimestamp"]) + patience
