"""Workloads that cannot start on a real node: whether the cause that is told is the true one."""

from __future__ import annotations

import asyncio

import failing
import pytest
from causes import LONGEST, found_out
from failing import CASES

from nuages.image import base
from nuages.local.cluster import load

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def failures(cluster, blog):
    """Every case's diagnosis."""
    load(cluster.name, [base.archive(failing.PYTHON)])
    return asyncio.run(found_out(cluster.kubeconfig, blog.status()["image"]))


@pytest.mark.parametrize("name", CASES)
def test_what_cannot_start_is_told_with_its_true_cause(failures, name):
    assert name in failures, f"{name} was not told within {LONGEST} s"
    case, diagnosis = CASES[name], failures[name].diagnosis
    assert diagnosis.id == case.id, diagnosis
    assert diagnosis.cause
    assert name in diagnosis.pod or case.workload["kind"] == "Job"
    assert len(diagnosis.lines) == len(case.lines)
    for line, expected in zip(diagnosis.lines, case.lines, strict=True):
        assert line.startswith(expected.removesuffix("...")), line
