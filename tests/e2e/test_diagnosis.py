"""Workloads that cannot start on a real node: whether the cause that is told is the true one."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

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
LONGEST = 900  # seconds for all of them together; where nothing else goes on it is 35
LOOK = 2.0  # seconds between two looks at those that are waited for


async def _failures(kubeconfig, django: str) -> dict[str, Diagnosis | None]:
    """Start all of them at once, and diagnose each as soon as the survey gives it up."""
    found: dict[str, Diagnosis | None] = {}
    async with Cluster.connect(kubeconfig) as cluster:
        await cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        while await cluster.get("ServiceAccount", NAMESPACE, "default") is None:  # a pod is refused before
            await asyncio.sleep(0.2)
        await cluster.apply(failing.config_map())
        async with Mirror(cluster, NAMESPACE, KINDS) as mirror:
            mirror.saw(await cluster.apply(failing.registry()))
            while not survey([failing.registry()], mirror, datetime.now(UTC)).done:
                assert await mirror.changed(300)
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
                    name = item["metadata"]["name"]
                    diagnosis = await diagnose(cluster, mirror, item)
                    if CASES[name].waits and (diagnosis is None or diagnosis.id != CASES[name].id):
                        continue  # it is only just starting
                    found[name] = diagnosis
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
    case, diagnosis = CASES[name], failures[name]
    assert diagnosis.id == case.id, diagnosis
    assert diagnosis.cause
    assert name in diagnosis.pod or case.workload["kind"] == "Job"
    assert len(diagnosis.lines) == len(case.lines)
    for line, expected in zip(diagnosis.lines, case.lines, strict=True):
        assert line.startswith(expected.removesuffix("...")), line
