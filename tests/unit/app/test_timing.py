"""One number, many time-outs."""

from __future__ import annotations

import pytest

from nuages.app.timing import timing, worker_timing

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("seconds", [0.5, 1, 30, 120, 3600])
def test_no_request_is_cut_off_by_the_end_of_its_pod(seconds: float) -> None:
    times = timing(seconds)
    assert times.request >= seconds
    assert times.server > times.request
    assert times.graceful >= times.request
    assert times.grace > times.pre_stop + times.graceful


@pytest.mark.parametrize("seconds", [1, 30, 120, 3600])
def test_a_pod_is_not_restarted_while_a_request_may_still_take_its_time(seconds: float) -> None:
    times = timing(seconds)
    assert times.liveness_period * times.liveness_failures > times.request


def test_a_pod_leaves_the_endpoints_long_before_it_is_restarted() -> None:
    times = timing(30)
    assert times.readiness_period * times.readiness_failures < times.liveness_period * times.liveness_failures


def test_thirty_seconds_give_these_numbers() -> None:
    times = timing(30)
    assert (times.server, times.graceful, times.pre_stop, times.grace) == (31, 30, 5, 40)


@pytest.mark.parametrize("seconds", [0.5, 60, 600, 7200])
def test_no_task_that_keeps_to_its_time_is_lost_with_its_pod(seconds: float) -> None:
    times = worker_timing(seconds)
    assert times.grace > times.task + times.soft
    assert times.liveness_period < times.alive
