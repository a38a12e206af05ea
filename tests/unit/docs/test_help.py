"""--help of every command, in a narrow terminal too."""

from __future__ import annotations

import click
import described
import pytest

pytestmark = pytest.mark.unit

PARTS = [pytest.param(context, id=context.command_path) for context in described.ALL[1:]]


@pytest.mark.parametrize("context", PARTS)
@pytest.mark.parametrize("width", [60, 80])
def test_help_fits_the_terminal(context: click.Context, width: int) -> None:
    narrow = click.Context(context.command, parent=context.parent, info_name=context.info_name, terminal_width=width)
    page = narrow.command.get_help(narrow)
    assert [line for line in page.splitlines() if len(line) > width] == []
    assert "\x1b" not in page


@pytest.mark.parametrize("context", PARTS)
def test_each_option_and_argument_says_what_it_is(context: click.Context) -> None:
    assert context.command.help
    assert all(option.help for option in described.options(context))
