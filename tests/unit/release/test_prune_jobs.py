"""Which Jobs still need what they name."""

from __future__ import annotations

import pytest

from nuages.release.leftover import ended

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("status", "over"),
    [
        ({}, False),  # its controller has not seen it yet
        ({"active": 1, "ready": 1}, False),
        ({"conditions": [{"type": "Suspended", "status": "True"}]}, False),
        ({"conditions": [{"type": "SuccessCriteriaMet", "status": "True"}]}, True),
        ({"conditions": [{"type": "Failed", "status": "True"}]}, True),
    ],
)
def test_a_job_is_over_when_its_conditions_say_so(status, over):
    assert ended({"kind": "Job", "metadata": {}, "spec": {}, "status": status}) is over


def test_what_is_no_job_never_ends():
    assert not ended(
        {"kind": "Deployment", "metadata": {}, "status": {"conditions": [{"type": "Failed", "status": "True"}]}}
    )
