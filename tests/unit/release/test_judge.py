"""What is said of two releases by what their pods counted."""

from __future__ import annotations

import pytest

from nuages.release.trials.judge import (
    Bad,
    Good,
    Unknown,
    judge,
    judge_time,
    lower,
    percentile,
    read,
    since,
    within,
    worse,
)
from nuages.release.trials.trial import Counted

pytestmark = pytest.mark.unit

PAGE = """\
# HELP nuages_http_requests_total Requests answered.
nuages_http_requests_total{method="GET",status="200",view="posts:list"} 90.0
nuages_http_requests_total{method="GET",status="503",view="posts:list"} 7.0
nuages_http_requests_total{method="POST",status="500",view="none"} 3.0
nuages_http_request_duration_seconds_bucket{le="0.1",method="GET",view="posts:list"} 80.0
nuages_http_request_duration_seconds_bucket{le="1.0",method="GET",view="posts:list"} 97.0
nuages_http_request_duration_seconds_bucket{le="+Inf",method="GET",view="posts:list"} 97.0
nuages_http_request_duration_seconds_bucket{le="+Inf",method="WEBSOCKET",view="live"} 5.0
nuages_http_request_duration_seconds_sum{method="GET",view="posts:list"} 8.5
process_open_fds 12.0
"""


def counted(requests: int, errors: int = 0, slow: int = 0) -> Counted:
    """So many requests, of which so many took between 0.25 and 0.5 seconds, and all others at most 0.1."""
    fast = requests - slow
    return Counted(
        requests=requests,
        errors=errors,
        buckets={"0.1": fast, "0.25": fast, "0.5": requests, "1": requests, "+Inf": requests},
    )


def test_a_page_of_metrics_is_read_as_requests_errors_and_times_without_websockets():
    assert read(PAGE) == Counted(requests=100, errors=10, buckets={"0.1": 80, "1.0": 97, "+Inf": 97})


def test_a_pod_that_started_anew_counts_from_nothing():
    before = {"a": counted(100), "b": counted(50)}
    now = {"a": counted(30, errors=1), "b": counted(70), "c": counted(5)}
    assert since(before, now) == counted(30 + 20 + 5, errors=1)


@pytest.mark.parametrize(
    ("new", "old", "expected"),
    [
        pytest.param(counted(1000, 2), counted(1000, 0), Good, id="few errors are within what is allowed"),
        pytest.param(counted(1000, 60), counted(9000, 450), Good, id="as many as the serving release has"),
        pytest.param(counted(1000, 80), counted(9000, 9), Bad, id="many more errors are no chance"),
        pytest.param(counted(20, 20), counted(0, 0), Bad, id="where all fail nobody has to wait for more"),
        pytest.param(counted(200, 4), counted(9000, 0), Unknown, id="a few errors among few requests may be chance"),
        pytest.param(counted(40, 0), counted(9000, 0), Unknown, id="few requests say nothing"),
        pytest.param(counted(500, 0), counted(12, 0), Unknown, id="nor do few on the other side"),
        pytest.param(counted(0, 0), counted(0, 0), Unknown, id="none say nothing at all"),
    ],
)
def test_errors_are_judged_beside_those_of_the_serving_release(new, old, expected):
    assert isinstance(judge(new, old, error_rate=0.01), expected)


@pytest.mark.parametrize(
    ("new", "old", "expected"),
    [
        pytest.param(counted(1000, slow=20), counted(1000, slow=20), Good, id="as slow as the other"),
        pytest.param(counted(1000, slow=300), counted(1000, slow=10), Bad, id="a third is slow"),
        pytest.param(
            counted(120, slow=11), counted(1000, slow=10), Unknown, id="more than five of a hundred, by chance"
        ),
        pytest.param(counted(50, slow=50), counted(1000), Unknown, id="too few to compare"),
    ],
)
def test_times_are_judged_by_the_share_of_requests_that_are_slower_than_the_95th_percentile(new, old, expected):
    assert isinstance(judge_time(new, old, latency=1.2), expected)


def test_times_below_the_smallest_bucket_are_never_called_slow():
    fast = Counted(requests=200, buckets={"0.01": 200, "0.025": 200, "+Inf": 200})
    faster = Counted(requests=200, buckets={"0.001": 200, "0.01": 200, "0.025": 200, "+Inf": 200})
    assert isinstance(judge_time(fast, faster, latency=1.2), Good)


def test_a_percentile_lies_between_two_bounds():
    assert percentile(counted(100, slow=10), 0.95) == pytest.approx(0.375)
    assert percentile(counted(100), 0.5) == pytest.approx(0.05)
    assert within(counted(100, slow=10), 0.375) == 95


def test_the_lower_bound_of_a_share_grows_with_the_number_that_was_looked_at():
    assert lower(0, 0) == 0
    assert 0 < lower(10, 100) < lower(100, 1000) < lower(1000, 10_000) < 0.1


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (Good("a"), Good("b"), Good("a, b")),
        (Good("a"), Unknown("b"), Unknown("b")),
        (Unknown("a"), Bad("b"), Bad("b")),
        (Bad("a"), Good("b"), Bad("a")),
    ],
)
def test_of_two_answers_the_graver_counts(one, other, expected):
    assert worse(one, other) == expected
