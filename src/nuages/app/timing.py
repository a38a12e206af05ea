"""One number, many time-outs: what follows from `requestTimeout` of a web, and from `longestTask` of a worker.

How a pod ends (https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination): its endpoint is
removed and its preStop hook starts *at the same time*; after the hook comes SIGTERM, and SIGKILL when the grace
period, which began with the hook, is over. How gunicorn ends (https://docs.gunicorn.org/en/stable/signals.html): on
SIGTERM it stops accepting and gives running requests `graceful_timeout`. So no request is lost where new ones stop
coming before SIGTERM, and old ones end before SIGKILL.

How a worker ends (https://docs.celeryq.dev/en/stable/userguide/workers.html#stopping-the-worker): on SIGTERM it takes
no new task and finishes those it has, however long they take; its soft shutdown (Celery 5.5) gives the last of them a
few seconds more, then they go back to the queue. SIGKILL would lose them.
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
# What a task that took longer than it may gets before it is given back to the queue.
SOFT_SHUTDOWN_SECONDS = 10
# A worker writes its sign of life every few seconds; older than this, its loop is stuck.
ALIVE_SECONDS = 60


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
    """How long a pod that is to end still takes requests, until every proxy knows that it is gone."""
    grace: int
    """terminationGracePeriodSeconds: preStop + graceful + margin, since the period begins with preStop."""
    startup_period: int
    """How often a pod that starts is asked whether it is there."""
    startup_failures: int
    """How many times it may say no before it is started anew: two minutes in all."""
    readiness_period: int
    """How often a pod is asked whether it takes requests."""
    readiness_failures: int
    """How many times it may say no before it leaves the endpoints."""
    liveness_period: int
    """How often a pod is asked whether it is stuck."""
    liveness_failures: int
    """How many times it may say nothing before it is restarted: longer than a request may take."""
    probe_timeout: int
    """How long each question waits for its answer."""


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


class WorkerTiming(msgspec.Struct, frozen=True, kw_only=True):
    """All in whole seconds."""

    task: int
    """The longest a task may take: `longestTask`, rounded up."""
    soft: int
    """How long a task that is over its time may still take before it goes back to the queue."""
    grace: int
    """terminationGracePeriodSeconds: task + soft + margin; SIGTERM comes at once, for nobody sends it requests."""
    alive: int
    """How old its sign of life may be."""
    startup_period: int
    """How often a pod that starts is asked for its sign of life."""
    startup_failures: int
    """How many times it may have none before it is started anew: two minutes in all."""
    readiness_period: int
    """How often a pod is asked whether it has reached its broker."""
    liveness_period: int
    """How often a pod is asked for its sign of life."""
    liveness_failures: int
    """How many times it may have none before it is restarted."""
    probe_timeout: int
    """How long each question waits for its answer."""


def worker_timing(task_seconds: float) -> WorkerTiming:
    """Derive everything from the longest a task may take; beat has none, so 0."""
    task = math.ceil(task_seconds)
    return WorkerTiming(
        task=task,
        soft=SOFT_SHUTDOWN_SECONDS,
        grace=task + SOFT_SHUTDOWN_SECONDS + MARGIN_SECONDS,
        alive=ALIVE_SECONDS,
        # Each question is a Python that starts: asked less often than a web is.
        startup_period=2,
        startup_failures=STARTUP_SECONDS // 2,
        readiness_period=5,
        liveness_period=20,
        liveness_failures=3,
        probe_timeout=10,
    )
