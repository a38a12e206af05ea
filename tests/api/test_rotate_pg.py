"""A rotation that is killed at each of its steps, against a real API server with its controllers."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest
from test_release import BUILD, _nobody_answers, blog

from nuages.progress import silent
from nuages.release import secrets
from nuages.release.deploy import deploy

pytestmark = pytest.mark.api
__all__ = ["_nobody_answers"]  # a fixture
STEPS = ("a new password for app_b", "replace pods", "take the password of app away")


async def test_a_rotation_that_is_killed_at_each_step_goes_on_where_it_was(
    namespace, cluster, kubeconfig, kubelet, tmp_path
):
    await deploy(blog(namespace, tmp_path), BUILD, cluster, silent)
    before = await held(cluster, namespace)
    command = (sys.executable, str(Path(__file__).with_name("rotated.py")), str(kubeconfig), namespace, str(tmp_path))
    chosen = set()
    for step in (*STEPS, None):
        process = await asyncio.create_subprocess_exec(*command, step or "", stdout=asyncio.subprocess.PIPE)
        said, _ = await process.communicate()
        assert process.returncode == (-signal.SIGKILL if step else 0), said
        now = await held(cluster, namespace)
        chosen.add(now.get("next-password") or now["password"])
    assert len(chosen) == 1  # one password was made, and every attempt went on with it
    assert chosen != {before["password"]}
    assert (now["user"], set(now)) == (b"app_b", set(before) | {"user"})


async def held(cluster, namespace):
    """What the database's Secret has."""
    return secrets.decoded(await cluster.get("Secret", namespace, "blog-postgres"))
