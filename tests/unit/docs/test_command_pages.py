"""docs/reference/commands.md has every command with its options, in the command line's own words, and an example."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from nuages.cli.group import nuages

pytestmark = pytest.mark.unit

PAGE = Path(__file__).parents[3] / "docs/reference/commands.md"
END = "<!-- end -->"


def walk(command: click.Command, context: click.Context) -> Iterator[click.Context]:
    """A context for each command that does something, in the order of --help."""
    if not isinstance(command, click.Group):
        yield context
        return
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        assert inner is not None
        yield from walk(inner, click.Context(inner, parent=context, info_name=name))


COMMANDS = list(walk(nuages, click.Context(nuages, info_name="nuages")))


def begin(context: click.Context) -> str:
    return f"<!-- made from the command line: {context.command_path} -->"


def made(context: click.Context) -> str:
    """What the page says of one command: how it is called, what it does, its options."""
    command = context.command
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    rows = [f"| {spelling(option, context)} | {option.help} | {default(option)} |" for option in options]
    table = "\n".join(["| option | what it does | default |", "|---|---|---|", *rows])
    return f"`{usage}`\n\n{prose(command)}\n\n{table}"


def prose(command: click.Command) -> str:
    """The help text, without the examples that --help shows below a form feed or as they stand (`\\b`)."""
    text = inspect.cleandoc(command.help or "").split("\b")[0].strip()
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", text))


def spelling(option: click.Option, context: click.Context) -> str:
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    return names if option.is_flag else f"{names} `{option.make_metavar(context)}`"


def default(option: click.Option) -> str:
    return f"`{option.default}`" if option.show_default else ""


def test_the_page_says_what_the_command_line_says() -> None:
    text = PAGE.read_text()
    for context in COMMANDS:
        assert begin(context) in text, f"{context.command_path} is not in {PAGE.name}"
        before, rest = text.split(f"{begin(context)}\n")
        _, after = rest.split(END, 1)
        text = f"{before}{begin(context)}\n{made(context)}\n{END}{after}"
    if os.environ.get("UPDATE_GOLDEN"):
        PAGE.write_text(text)
    assert PAGE.read_text() == text, "UPDATE_GOLDEN=1 pytest tests/unit/docs writes it anew"


def test_no_command_is_described_that_does_not_exist() -> None:
    described = re.findall(r"<!-- made from the command line: (.*) -->", PAGE.read_text())
    assert described == [context.command_path for context in COMMANDS]


@pytest.mark.parametrize("context", COMMANDS, ids=lambda context: context.command_path)
def test_each_command_has_an_example(context: click.Context) -> None:
    _, _, after = PAGE.read_text().partition(begin(context))
    section = after.partition("\n## ")[0]
    examples = re.findall(r"^```\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    assert any(context.command_path in example for example in examples)
