"""Workloads that cannot start on a real node: how soon that is known, and whether the cause is the true one."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import NamedTuple

import failing
import msgspec
import pytest
from failing import CASES, NAMESPACE

from nuages.image import base
from nuages.kube.client import Cluster
from nuages.kube.watch import Mirror
from nuages.local.cluster import load
from nuages.rollout.diagnosis import Diagnosis, diagnose
from nuages.rollout.watcher import KINDS, survey

pytestmark = pytest.mark.e2e
LONGEST = 240  # seconds for all of them together; where nothing else goes on it is 35
LOOK = 2.0  # seconds between two looks at those that are waited for


class Found(NamedTuple):
    """What was found out, and how many seconds finding out took."""

    diagnosis: Diagnosis | None
    took: float


async def _failures(kubeconfig, django: str) -> dict[str, Found]:
    """Start all of them at once, and diagnose each as soon as the survey gives it up."""
    found: dict[str, Found] = {}
    async with Cluster.connect(kubeconfig) as cluster:
        await cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        await cluster.apply(failing.config_map())
        async with Mirror(cluster, NAMESPACE, KINDS) as mirror:
            mirror.saw(await cluster.apply(failing.registry()))
            while not survey([failing.registry()], mirror, datetime.now(UTC)).done:
                assert await mirror.changed(30)
            begun = time.monotonic()
            for case in CASES.values():
                mirror.saw(await cluster.apply(_with(case.workload, django)))
            looked = begun
            while len(found) < len(CASES) and time.monotonic() - begun < LONGEST:
                seen = mirror.version
                left = [case.workload for name, case in CASES.items() if name not in found]
                state = survey(left, mirror, datetime.now(UTC))
                due = state.failed
                if time.monotonic() - looked > LOOK:
                    looked = time.monotonic()
                    due = due + [one for one in state.waiting if CASES[one[0]["metadata"]["name"]].waits]
                for item, _ in due:
                    name, asked = item["metadata"]["name"], time.monotonic()
                    diagnosis = await diagnose(cluster, mirror, item)
                    ended = time.monotonic()
                    if CASES[name].waits and (diagnosis is None or diagnosis.id != CASES[name].id):
                        continue  # it is only just starting
                    found[name] = Found(diagnosis, ended - asked)
                    await cluster.delete(item["kind"], NAMESPACE, name)
                await mirror.changed(1, since=seen)
        await cluster.delete("Namespace", None, NAMESPACE)
    return found


def _with(workload, django: str):
    """The workload in the blog's own image, where it wants that."""
    return msgspec.json.decode(msgspec.json.encode(workload).replace(b'"image":"blog"', f'"image":"{django}"'.encode()))


@pytest.fixture(scope="module")
def failures(cluster, blog):
    """Every case's diagnosis."""
    load(cluster.name, [base.archive(failing.PYTHON)])
    return asyncio.run(_failures(cluster.kubeconfig, blog.status()["image"]))


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


def test_a_cause_is_found_within_two_seconds(failures):
    assert max(found.took for found in failures.values()) < 2
