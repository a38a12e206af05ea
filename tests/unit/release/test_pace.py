"""Slow, or standing still."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from nuages.release.pace import limit, start, told

from .test_phases import View

pytestmark = pytest.mark.unit
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PROBE = {"periodSeconds": 2, "failureThreshold": 60, "initialDelaySeconds": 10}
POD = {"terminationGracePeriodSeconds": 45, "containers": [{"name": "a", "startupProbe": PROBE}, {"name": "b"}]}


class Pods(View):
    """A Job and its pods, as last seen."""

    def __init__(self, *pods):
        super().__init__({"kind": "Job", "metadata": {"name": "one", "uid": "u"}})
        self._pods = pods

    def items(self, kind):
        return [
            {"metadata": {"ownerReferences": [{"uid": "u"}]}, "spec": POD, "status": {"containerStatuses": [status]}}
            for status in self._pods
        ]


def running(seconds, *, started=False):
    return {"started": started, "state": {"running": {"startedAt": (NOON - timedelta(seconds=seconds)).isoformat()}}}


def test_a_start_may_take_what_its_probe_gives_it():
    assert start(POD) == timedelta(seconds=130)
    assert start({"containers": [{}]}) == timedelta(0)


def test_a_workload_may_take_the_end_of_its_old_pod_and_two_starts():
    item = {"spec": {"template": {"spec": POD}}}
    assert limit(item, timedelta(minutes=1)) == timedelta(seconds=45 + 260)
    assert limit(item, timedelta(minutes=10)) == timedelta(minutes=10)
    assert limit({"spec": {}}, timedelta(minutes=10)) == timedelta(minutes=10)


@pytest.mark.parametrize(
    ("pods", "expected"),
    [
        ([running(45), running(20)], "starting for 45 s, it may take 130 s"),
        ([running(45, started=True)], ""),
        ([{"state": {"waiting": {"reason": "ImagePullBackOff"}}}], ""),
        ([], ""),
    ],
)
def test_the_slowest_start_is_told_with_what_it_may_take(pods, expected):
    assert told({"kind": "Job", "metadata": {"name": "one"}}, Pods(*pods), NOON) == expected
