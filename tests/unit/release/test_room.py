"""How many pods more a rollout starts where a quota leaves little room."""

from __future__ import annotations

from decimal import Decimal

import pytest

from nuages.release.room import fitted, left, number

pytestmark = pytest.mark.unit


def quota(hard, used, **spec):
    return {"spec": {"hard": hard, **spec}, "status": {"hard": hard, "used": used}}


def deployment(surge, cpu="100m", memory="256Mi", replicas=3):
    resources = {"requests": {"cpu": cpu, "memory": memory}, "limits": {"memory": memory}}
    return {
        "kind": "Deployment",
        "spec": {
            "replicas": replicas,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": surge}},
            "template": {"spec": {"containers": [{"resources": resources}]}},
        },
    }


def surges(made):
    rolling = [item["spec"]["strategy"]["rollingUpdate"] for item in made]
    return [(one["maxSurge"], one["maxUnavailable"]) for one in rolling]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("250m", "0.25"), ("2", "2"), (3, "3"), ("1.5", "1.5"), ("1Ki", "1024"), ("256Mi", str(256 * 1024**2)),
        ("1k", "1000"), ("2E", str(2 * 10**18)), ("1e3", "1000"), ("0", "0"), ("-1", "-1"),
    ],
)  # fmt: skip
def test_a_quantity_is_a_number_of_its_unit(text, value):
    assert number(text) == Decimal(value)


@pytest.mark.parametrize(
    ("hard", "used", "expected"),
    [
        pytest.param({}, {}, (3, 0), id="without a quota as many as are wanted"),
        pytest.param({"pods": "10"}, {"pods": "5"}, (3, 0), id="with room enough too"),
        pytest.param({"pods": "10"}, {"pods": "8"}, (2, 0), id="as many as there is room for"),
        pytest.param({"count/pods": "10"}, {"count/pods": "9"}, (1, 0), id="however pods are counted"),
        pytest.param({"requests.memory": "1Gi"}, {"requests.memory": "600Mi"}, (1, 0), id="by memory"),
        pytest.param({"memory": "1Gi"}, {"memory": "600Mi"}, (1, 0), id="by memory under its short name"),
        pytest.param({"limits.memory": "1Gi"}, {"limits.memory": "300Mi"}, (2, 0), id="by the limit of memory"),
        pytest.param({"cpu": "1"}, {"cpu": "950m"}, (0, 1), id="where there is none an old one goes first"),
        pytest.param({"pods": "4"}, {"pods": "5"}, (0, 1), id="one that is exceeded leaves none"),
        pytest.param({"services": "1"}, {"services": "1"}, (3, 0), id="what is no pod's does not count"),
    ],
)
def test_a_rollout_starts_as_many_pods_more_as_a_quota_leaves_room_for(hard, used, expected):
    assert surges(fitted([deployment(3)], left([quota(hard, used)]))) == [expected]


def test_what_rolls_at_the_same_time_shares_the_room():
    room = left([quota({"pods": "10"}, {"pods": "7"})])
    assert surges(fitted([deployment(2), deployment(2), deployment(2)], room)) == [(2, 0), (1, 0), (0, 1)]


def test_the_tightest_of_several_quotas_counts_and_those_of_other_pods_do_not():
    tight, wide = quota({"pods": "6"}, {"pods": "5"}), quota({"pods": "99"}, {"pods": "5"})
    ended = quota({"pods": "1"}, {"pods": "1"}, scopes=["Terminating"])
    ours = quota({"pods": "7"}, {"pods": "5"}, scopes=["NotTerminating"])
    assert surges(fitted([deployment(3)], left([tight, wide, ended, ours]))) == [(1, 0)]


def test_what_stops_its_old_pods_first_stays_as_it_is():
    recreated = {"kind": "Deployment", "spec": {"strategy": {"type": "Recreate"}}}
    assert fitted([recreated], {"pods": Decimal(0)}) == [recreated]


def test_the_only_pod_that_there_is_never_goes_first():
    alone = deployment(1, replicas=1)
    assert fitted([alone], {"pods": Decimal(0)}) == [alone]
