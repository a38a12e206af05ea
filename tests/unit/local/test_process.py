"""A process is known again by its pid and start time."""

from __future__ import annotations

import os
import subprocess

import pytest

from nuages.errors import CommandFailed, MissingTool
from nuages.local.process import Process, children, follow, process, run

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


def test_a_failed_program_says_its_last_words():
    with pytest.raises(CommandFailed) as failed:
        run(["sh", "-c", "echo first; echo it is broken >&2; exit 3"])
    assert "exit code 3" in failed.value.message
    assert failed.value.detail == "it is broken"


def test_a_missing_program_is_named():
    with pytest.raises(MissingTool, match="no-such-program"):
        run(["no-such-program"])


def test_following_ends_the_program_when_the_listener_has_heard_enough():
    heard = []
    assert follow(["sh", "-c", "echo one; echo two; sleep 60"], lambda line: heard.append(line) or line == "two")
    assert heard == ["one", "two"]
