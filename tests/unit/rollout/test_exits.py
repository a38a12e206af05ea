"""Exit codes in words."""

import pytest

from nuages.rollout.exits import in_words

from .recorded import failure, log
from .test_causes import crashed


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (1, "exit 1"),
        (127, "exit 127, no such command"),
        (134, "exit 134, it aborted"),
        (137, "exit 137, killed"),
        (139, "exit 139, it crashed in native code"),
        (143, "exit 143, asked to end"),
        (152, "exit 152, ended by SIGXCPU"),
        (250, "exit 250"),
    ],
)
def test_an_exit_code_is_told_in_words(code, words):
    assert in_words(code) == words


def test_a_kill_for_memory_is_told_from_any_other():
    assert failure("memory")[0].trouble.summary.endswith("(exit 137, killed for its memory)")


def test_the_pod_that_was_started_most_often_tells_most():
    calm, often = crashed(log("environs")).trouble, crashed(log("environs"), restarts=7).trouble
    assert min([calm, often], key=lambda trouble: trouble.telling) is often
