"""A release whose processes are killed, one after the other: the next one goes on, and ends in the same state."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest
from test_release import BUILD, _nobody_answers, blog

from nuages.progress import silent
from nuages.release import records
from nuages.release.deploy import deploy
from nuages.release.record import Outcome

pytestmark = pytest.mark.api
__all__ = ["_nobody_answers"]  # a fixture


async def killed(phase, *arguments):
    """Deploy in another process, which is killed as a phase begins; answers what it said."""
    folder = Path(__file__).parent
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(folder / "stopped.py"), *arguments, phase, stdout=asyncio.subprocess.PIPE, cwd=folder
    )
    said, _ = await process.communicate()
    assert process.returncode == -signal.SIGKILL, said
    return said.decode().split("\n")[:-1]


async def test_a_release_that_is_killed_in_phase_after_phase_ends_as_if_nothing_had_been(
    namespace, cluster, kubeconfig, kubelet, tmp_path
):
    where = (str(kubeconfig), namespace, str(tmp_path))
    for phase in ("services", "expand", "web", "web", "live"):
        said = await killed(phase, *where)
        assert said[-1] == phase, said
    record = await deploy(blog(namespace, tmp_path), BUILD, cluster, silent)
    assert (record.number, record.outcome) == (1, Outcome.LIVE)
    assert [passed.phase for passed in record.passed] == [
        "services",
        "expand",
        "web",
        "exposure",
        "verify",
        "live",
        "prune",
    ]
    assert len(await records.history(cluster, namespace, "blog", "local")) == 1
    assert len((await cluster.list("Job", namespace)).items) == 1
    deployment = await cluster.get("Deployment", namespace, "blog-web-main")
    assert deployment["metadata"]["generation"] == 1
    lease = await cluster.get("Lease", namespace, "blog-release")
    assert lease["spec"]["leaseTransitions"] == 6
