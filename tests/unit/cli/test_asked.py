"""What is asked of the lock on the command line."""

from __future__ import annotations

import pytest

from nuages.cli.asked import typed, wish
from nuages.errors import UsageError


@pytest.mark.parametrize(
    ("given", "seconds"), [(None, 0), ("for ever", float("inf")), ("10m", 600), ("1h30m", 5400), ("500ms", 0.5)]
)
def test_how_long_it_waits(given, seconds):
    assert wish("", given).wait == seconds


@pytest.mark.parametrize("given", ["3", "soon", ""])
def test_a_time_without_a_unit_is_refused_with_the_way_to_write_it(given):
    with pytest.raises(UsageError, match="is no duration") as refused:
        wish("", given)
    assert "--wait=10m" in refused.value.hint


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["deploy", "-e", "production"], "nuages deploy -e production"),
        (["deploy", "-m", "new colours", "--wait"], "nuages deploy --wait"),
        (["deploy", "--message=new colours", "--wait"], "nuages deploy --wait"),
        (["lock", "--message", "a b"], "nuages lock"),
        (["deploy", "-f", "my spec.yaml"], "nuages deploy -f 'my spec.yaml'"),
        (["deploy", "x" * 500], ("nuages deploy " + "x" * 500)[:200]),
    ],
)
def test_the_command_is_shown_without_its_message(arguments, shown):
    assert typed(arguments) == shown
