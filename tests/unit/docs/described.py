"""What there is to say of each command, in the command line's own words: for the page, the man page and completion."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import click

from nuages.cli.group import nuages
from nuages.cli.main import COMMANDS as TOP

VALUES = {
    "environment": "environments",
    "context": "contexts",
    "component": "components",
    "components": "components",
    "release": "releases",
    "number": "releases",
    "before": "releases",
    "after": "releases",
}
"""What a value is called, in any command -> the names that it may be."""

OF_ONE = {
    "nuages secrets set names": "secrets",
    "nuages secrets unset names": "secrets",
    "nuages services apply only": "services",
    "nuages env down name": "made",
    "nuages env sleep name": "made",
    "nuages env wake name": "made",
    "nuages exec name": "targets",
    "nuages cp source": "files",
    "nuages db copy source": "environments",
    "nuages cp target": "files",
    "nuages port-forward name": "targets",
    "nuages scale words": "scales",
    "nuages restart names": "components",
    "nuages config get path": "paths",
    "nuages config explain path": "paths",
    "nuages manage arguments": "rest",
    "nuages run arguments": "rest",
    "nuages shell arguments": "rest",
    "nuages dbshell arguments": "rest",
    "nuages createsuperuser arguments": "rest",
}
"""The same, of one command."""


def contexts(command: click.Command, context: click.Context) -> Iterator[click.Context]:
    """A context for each command and each group, in the order of --help; what is hidden is left out."""
    yield context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            if not inner.hidden:
                yield from contexts(inner, click.Context(inner, parent=context, info_name=name))


ALL = list(contexts(nuages, click.Context(nuages, info_name="nuages")))
COMMANDS = [context for context in ALL if not isinstance(context.command, click.Group)]


def short(context: click.Context) -> str:
    """What it does, in a line."""
    path = context.command_path.split()[1:]
    if len(path) == 1:
        return TOP[path[0]]
    return context.command.get_short_help_str(limit=200)


def paragraphs(command: click.Command) -> list[str]:
    """The help text, without the examples that --help shows below a form feed or as they stand (`\\b`)."""
    text = inspect.cleandoc(command.help or "").split("\b")[0].strip()
    return [" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", text)]


def options(context: click.Context) -> list[click.Option]:
    """Those that --help shows."""
    found = [parameter for parameter in context.command.params if isinstance(parameter, click.Option)]
    return [option for option in found if not option.hidden]


def spellings(option: click.Option) -> list[str]:
    """All ways to write it, the long ones first."""
    return sorted([*option.opts, *option.secondary_opts], key=lambda name: not name.startswith("--"))


def kind(context: click.Context, parameter: click.Parameter) -> str:
    """What completion offers for its value (cli/completing.py); empty where it takes none."""
    if isinstance(parameter, click.Option) and (parameter.is_flag or parameter.count or parameter._flag_needs_value):
        return ""
    if found := OF_ONE.get(f"{context.command_path} {parameter.name}"):
        return found
    match parameter.type:
        case click.Choice(choices=choices):
            return "=" + "|".join(map(str, choices))
        case click.Path():
            return "files" if parameter.type.file_okay else "folders"
    return VALUES.get(parameter.name or "", "text")
