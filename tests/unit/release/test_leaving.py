"""What is typed: all of it goes to the program, but for the way to leave."""

import pytest

from nuages.release.leaving import Detached, Leaving

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("typed", "passed"),
    [
        ("ls -l ~\r", "ls -l ~\r"),
        ("cd ~.\r", "cd ~.\r"),
        ("~/bin\r", "~/bin\r"),
        ("~~.\r", "~.\r"),
        ("a\r~b\r", "a\r~b\r"),
        ("\x03~", "\x03~"),
    ],
)
def test_a_tilde_that_leaves_nothing_reaches_the_program(typed, passed):
    leaving = Leaving()
    assert b"".join(leaving.passed(key.encode()) for key in typed).decode() == passed
    assert Leaving().passed(typed.encode()).decode() == passed


@pytest.mark.parametrize("typed", ["~.", "ls\r~.", "\n~."])
def test_enter_tilde_dot_leaves(typed):
    leaving = Leaving()
    with pytest.raises(Detached):
        for key in typed:
            leaving.passed(key.encode())
