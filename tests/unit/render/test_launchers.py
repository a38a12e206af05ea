"""What waits in a pod of `nuages run` until somebody is attached, run here as it runs there."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import termios

import pytest

from nuages.render import run
from nuages.render.run import GO, READY, START

pytestmark = pytest.mark.unit
LAUNCHERS = {"python": [sys.executable, "-IS", "-c", run._PYTHON], "bash": ["bash", "-c", run._BASH, "psql"]}


@pytest.fixture(params=LAUNCHERS)
def launcher(request):
    return LAUNCHERS[request.param]


def test_in_a_pipe_nothing_is_lost_on_either_side(launcher):
    process = subprocess.Popen([*launcher, "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout.read(1) == READY
    out, _ = process.communicate(START + b"\x05\x06\n\x00all")
    assert out.lstrip(READY) == GO + b"\x05\x06\n\x00all"


def test_the_exit_code_is_the_commands(launcher):
    done = subprocess.run([*launcher, "sh", "-c", "exit 7"], input=START, capture_output=True, check=False)
    assert done.returncode == 7


def test_a_command_that_is_not_there_ends_with_127_as_in_a_shell(launcher):
    done = subprocess.run([*launcher, "nosuch"], input=START, capture_output=True, check=False)
    assert done.returncode == 127
    assert b"nosuch" in done.stderr


def test_on_a_terminal_the_answer_is_not_echoed_and_the_modes_are_given_on_as_they_were(launcher):
    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    process = subprocess.Popen([*launcher, "sh", "-c", "stty -a; echo end"], stdin=theirs, stdout=theirs, stderr=theirs)
    text = b""
    while b"end" not in text:
        assert select.select([ours], [], [], 10)[0]
        text += os.read(ours, 1000)
        if text == READY:
            os.write(ours, START)
    process.wait()
    assert text.lstrip(READY).startswith(GO + b"speed")
    assert termios.tcgetattr(theirs)[:4] == before[:4]
    os.close(ours)
    os.close(theirs)
