"""What `nuages run` shows of what others ran."""

import pytest

from nuages.cli.run import spelled

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("python manage.py check", "python manage.py check"),
        ("echo Zoë 雲", "echo Zoë 雲"),
        ("printf \x1b[2J", "printf \\x1b[2J"),
        ("sh -c 'a\nb'", "sh -c 'a\\nb'"),
        ("\x9b31m", "\\x9b31m"),
    ],
)
def test_a_command_line_of_somebody_else_gives_the_terminal_no_orders(written, shown):
    assert spelled(written) == shown
