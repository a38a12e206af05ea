"""What is found out about workloads that cannot start, on a real node; and how long finding out takes."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import NamedTuple

import failing
import msgspec
from failing import CASES, NAMESPACE

from nuages.kube.client import Cluster
from nuages.kube.watch import Mirror
from nuages.rollout.diagnosis import Diagnosis, diagnose
from nuages.rollout.watcher import KINDS, survey

LONGEST = 240  # seconds for all of them together; where nothing else goes on it is 35
LOOK = 2.0  # seconds between two looks at those that are waited for


class Found(NamedTuple):
    """What was found out, and how many seconds finding out took."""

    diagnosis: Diagnosis | None
    took: float


async def found_out(kubeconfig, django: str) -> dict[str, Found]:
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
