"""One number, many time-outs: what follows from `requestTimeout`.

How a pod ends (https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination): its endpoint is
removed and its preStop hook starts *at the same time*; after the hook comes SIGTERM, and SIGKILL when the grace
period, which began with the hook, is over. How gunicorn ends (https://docs.gunicorn.org/en/stable/signals.html): on
SIGTERM it stops accepting and gives running requests `graceful_timeout`. So no request is lost where new ones stop
coming before SIGTERM, and old ones end before SIGKILL.
"""

from __future__ import annotations

import math

import msgspec

# Time for every node's proxy, and a load balancer in front, to learn that the endpoint is gone. kube-proxy takes it
# up within a second; a proxy of the cloud looks every few seconds.
PRE_STOP_SECONDS = 5
# The server's own end (workers joined, sockets closed) after its last request.
MARGIN_SECONDS = 5
# Slow start-ups are no failures: settings, apps and models load at a tenth of a core's speed where only that is set
# aside.
STARTUP_SECONDS = 120
STARTUP_PERIOD_SECONDS = 1


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """All in whole seconds, for that is what Kubernetes and gunicorn count in."""

    request: int
    """The longest a request may take: `requestTimeout`, rounded up."""
    server: int
    """A worker that is silent longer is killed and replaced by gunicorn (its `timeout`); past `request`, so that a
    request that takes all its time still gets its answer out."""
    graceful: int
    """How long gunicorn lets running requests end after SIGTERM: the longest they may take."""
    pre_stop: int
    grace: int
    """terminationGracePeriodSeconds: preStop + graceful + margin, since the period begins with preStop."""
    startup_period: int
    startup_failures: int
    readiness_period: int
    readiness_failures: int
    liveness_period: int
    liveness_failures: int
    probe_timeout: int


def timing(request_seconds: float) -> Timing:
    """Derive everything from the longest a request may take."""
    request = math.ceil(request_seconds)
    return Timing(
        request=request,
        server=request + 1,
        graceful=request,
        pre_stop=PRE_STOP_SECONDS,
        grace=PRE_STOP_SECONDS + request + MARGIN_SECONDS,
        startup_period=STARTUP_PERIOD_SECONDS,
        startup_failures=STARTUP_SECONDS // STARTUP_PERIOD_SECONDS,
        # Out of the endpoints within 6 s when it can't answer, and back at the first answer.
        readiness_period=2,
        readiness_failures=3,
        # A restart is the last resort: only when all threads were stuck for longer than any request may take.
        liveness_period=10,
        liveness_failures=max(3, math.ceil((request + 1) / 10)),
        probe_timeout=2,
    )
