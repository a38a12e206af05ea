"""What waits in a pod of `nuages run` until somebody is attached, run here as it runs there."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import termios
from subprocess import PIPE

import pytest

from nuages.render import run
from nuages.render.run import GO, READY, START

pytestmark = pytest.mark.unit
TOKEN = "0123456789abcdef"
LAUNCHERS = {
    "python": [sys.executable, "-IS", "-c", run._PYTHON, TOKEN],
    "bash": ["bash", "-c", run._BASH, "bash", TOKEN],
}


def end(code):
    return GO + f"{TOKEN}:{code};".encode()


@pytest.fixture(params=LAUNCHERS)
def launcher(request):
    return LAUNCHERS[request.param]


@pytest.fixture
def started(launcher):
    """A command behind the launcher, in a pipe; ended afterwards as a pod that is removed ends it."""
    made = []

    def start(*command):
        process = subprocess.Popen([*launcher, *command], stdin=PIPE, stdout=PIPE, stderr=PIPE, bufsize=0)
        made.append(process)
        assert process.stdout.read(1) == READY
        process.stdin.write(START)
        return process

    yield start
    for process in made:
        process.terminate()
        process.wait(5)
        for stream in (process.stdin, process.stdout, process.stderr):
            stream.close()


def until(stream, last):
    """What comes, up to this."""
    text = b""
    while not text.endswith(last):
        text += stream.read(1)
    return text


def test_in_a_pipe_nothing_is_lost_on_either_side(started):
    process = started("cat")
    process.stdin.write(b"\x05\x06\n\x00all")
    process.stdin.close()
    assert until(process.stdout, end(0)).lstrip(READY) == GO + b"\x05\x06\n\x00all" + end(0)
    assert until(process.stderr, end(0)) == end(0)


@pytest.mark.parametrize(("script", "code"), [("exit 7", 7), ("kill -6 $$", 134), ("yes | head -1 >/dev/null", 0)])
def test_the_exit_code_is_the_commands_as_a_shell_has_it(started, script, code):
    until(started("bash", "-c", script).stdout, end(code))


def test_a_command_that_was_killed_ends_its_pod_which_tells_why(started):
    assert started("bash", "-c", "kill -9 $$").wait(5) == 137


def test_a_command_that_is_not_there_ends_with_127_as_in_a_shell(started):
    process = started("nosuch")
    until(process.stdout, end(127))
    assert b"nosuch" in until(process.stderr, end(127))


def test_a_pod_that_is_removed_ends_the_command(launcher, started):
    process = started("sleep", "60")
    until(process.stdout, GO)
    process.terminate()
    assert process.wait(5) in (143, -15)


def test_on_a_terminal_the_answer_is_not_echoed_and_the_modes_are_given_on_as_they_were(launcher):
    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    process = subprocess.Popen([*launcher, "sh", "-c", "stty -a; echo end"], stdin=theirs, stdout=theirs, stderr=theirs)
    text = b""
    while end(0) not in text:
        assert select.select([ours], [], [], 10)[0]
        text += os.read(ours, 1000)
        if text == READY:
            os.write(ours, START)
    process.terminate()
    process.wait(5)
    assert text.lstrip(READY).startswith(GO + b"speed")
    assert text.endswith(b"end\r\n" + end(0))
    assert termios.tcgetattr(theirs)[:4] == before[:4]
    os.close(ours)
    os.close(theirs)
