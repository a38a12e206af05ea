"""Whether what is waited for is slow or stands still, by the numbers that its own probes give it. Pure.

A start may take `initialDelaySeconds + periodSeconds x failureThreshold` of the start-up probe, then the kubelet begins
it anew: https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/. Within that it is slow;
what begins anew a second time failed, and the pods say so (rollout/pods.py).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from nuages.app.objects import Object
from nuages.rollout.kinds import View, tracker
from nuages.rollout.pods import moment

STARTS = 2
"""A node that is slow, or an image to pull: one start may be lost."""


def start(pod: Object) -> timedelta:
    """How long one start of a pod may take; nothing where no probe says."""
    probes = [probe for container in pod.get("containers", []) if (probe := container.get("startupProbe"))]
    seconds = [
        probe.get("initialDelaySeconds", 0) + probe.get("periodSeconds", 10) * probe.get("failureThreshold", 3)
        for probe in probes
    ]
    return timedelta(seconds=max(seconds, default=0))


def limit(item: Object, least: timedelta) -> timedelta:
    """How long a workload may take to be replaced: its old pod's end, and the starts of a new one.

    Args:
        item: as rendered.
        least: what it may take at any rate: an image to pull, a volume to attach.
    """
    pod = item.get("spec", {}).get("template", {}).get("spec", {})
    return max(least, timedelta(seconds=pod.get("terminationGracePeriodSeconds", 30)) + STARTS * start(pod))


def told(item: Object, view: View, now: datetime) -> str:
    """How far the start of its slowest pod is: `starting for 45 s, it may take 120 s`; "" where none starts."""
    live = view.get(item["kind"], item["metadata"]["name"])
    if live is None:
        return ""
    begun = [
        (moment(running["startedAt"]), start(pod["spec"]))
        for pod in tracker(item["kind"]).pods(live, view)
        for status in pod.get("status", {}).get("containerStatuses", [])
        if (running := status.get("state", {}).get("running")) and not status.get("started") and start(pod["spec"])
    ]
    if not begun:
        return ""
    since, most = min(begun)
    return f"starting for {(now - since).total_seconds():.0f} s, it may take {most.total_seconds():.0f} s"
