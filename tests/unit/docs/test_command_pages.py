"""docs/reference/commands.md has every command with its options, in the command line's own words, and an example."""

from __future__ import annotations

import os
import re
from pathlib import Path

import click
import pytest
from described import COMMANDS, options, paragraphs

pytestmark = pytest.mark.unit

PAGE = Path(__file__).parents[3] / "docs/reference/commands.md"
END = "<!-- end -->"


def begin(context: click.Context) -> str:
    return f"<!-- made from the command line: {context.command_path} -->"


def made(context: click.Context) -> str:
    """What the page says of one command: how it is called, what it does, its options."""
    command = context.command
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    rows = [f"| {spelling(option, context)} | {option.help} | {default(option)} |" for option in options(context)]
    table = ["\n".join(["| option | what it does | default |", "|---|---|---|", *rows])] if rows else []
    return "\n\n".join([f"`{usage}`", *paragraphs(command), *table])


def spelling(option: click.Option, context: click.Context) -> str:
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    return names if option.is_flag else f"{names} `{option.make_metavar(context)}`"


def default(option: click.Option) -> str:
    return f"`{option.default}`" if option.show_default else ""


def test_the_page_says_what_the_command_line_says() -> None:
    text = PAGE.read_text()
    missing = [context.command_path for context in COMMANDS if begin(context) not in text]
    for context in COMMANDS:
        if begin(context) in text:
            before, rest = text.split(f"{begin(context)}\n")
            _, after = rest.split(END, 1)
            text = f"{before}{begin(context)}\n{made(context)}\n{END}{after}"
    if os.environ.get("UPDATE_GOLDEN"):
        PAGE.write_text(text)
    assert PAGE.read_text() == text, "UPDATE_GOLDEN=1 pytest tests/unit/docs writes it anew"
    assert missing == [], f"{PAGE.name} has no section for them"


def test_no_command_is_described_that_does_not_exist() -> None:
    described = re.findall(r"<!-- made from the command line: (.*) -->", PAGE.read_text())
    assert described == [context.command_path for context in COMMANDS]


def test_each_command_stands_below_its_name() -> None:
    headed = re.findall(r"^## (.*)\n\n<!-- made from the command line: (.*) -->$", PAGE.read_text(), re.MULTILINE)
    assert headed == [(context.command_path, context.command_path) for context in COMMANDS]


@pytest.mark.parametrize("context", COMMANDS, ids=lambda context: context.command_path)
def test_each_command_has_an_example(context: click.Context) -> None:
    _, _, after = PAGE.read_text().partition(begin(context))
    section = after.partition("\n## ")[0]
    examples = re.findall(r"^```\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    assert any(context.command_path in example for example in examples)
