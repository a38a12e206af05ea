"""A process is known again by its pid and start time."""

from __future__ import annotations

import os
import subprocess

import pytest

from nuages.host.process import Process, children, process

pytestmark = pytest.mark.unit


def test_a_killed_process_is_gone_even_before_it_is_reaped():
    with subprocess.Popen(["sleep", "60"]) as started:
        found = process(started.pid)
        assert found.alive()
        assert found in children(os.getpid())
        found.kill()
        assert not found.alive()


def test_another_process_with_the_same_pid_is_left_alone():
    with subprocess.Popen(["sleep", "60"]) as started:
        Process(started.pid, started=1).kill()
        assert started.poll() is None
        started.kill()
