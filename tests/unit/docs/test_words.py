"""What completion knows of the commands is what they are: cli/words.txt is made from them."""

from __future__ import annotations

import os
from pathlib import Path

import click
import described
import pytest

from nuages.cli import completing, names
from nuages.cli.default import WithDefault

pytestmark = pytest.mark.unit

FILE = Path(completing.TABLE)


def made() -> str:
    """The table, one line for each command, option and argument."""
    lines = []
    by_path = {context.command_path: context for context in described.ALL}
    for whole, context in by_path.items():
        path = " ".join(whole.split()[1:])
        lines.append(f"{path or ' '}\t{described.short(context) if path else ''}")
        # A group of which one is meant where none is named takes the options of that one.
        default = isinstance(context.command, WithDefault) and f"{whole} {context.command.default}"
        meant = by_path[default] if default else context
        for option in described.options(meant):
            names = ",".join(described.spellings(option))
            lines.append(f"\t{names}\t{described.kind(meant, option)}\t{option.help or ''}")
        lines.append("\t--help,-h\t\tShow what it does.")
        arguments = [each for each in context.command.params if isinstance(each, click.Argument)]
        lines += [f"\t{described.kind(context, each)}{'...' if each.nargs != 1 else ''}" for each in arguments]
    return "\n".join(lines) + "\n"


def test_the_table_is_what_the_commands_are() -> None:
    if os.environ.get("UPDATE_GOLDEN"):
        FILE.write_text(made())
    assert FILE.read_text() == made(), "UPDATE_GOLDEN=1 pytest tests/unit/docs writes it anew"


def test_every_kind_of_name_in_it_is_one_that_can_be_told() -> None:
    known = {"", completing.ANYTHING, "contexts", "paths", *completing.PATHS, *names.OF_SPEC, *names.OF_CLUSTER}
    commands = completing.table(FILE.read_text()).values()
    told = {option.kind for command in commands for option in command.options}
    told |= {command.argument(number) for command in commands for number in range(len(command.arguments))}
    assert {kind for kind in told if not kind.startswith("=")} <= known
