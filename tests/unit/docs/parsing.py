"""Command lines as the command line itself takes them; nothing is run."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import click

from nuages.cli.group import nuages
from nuages.cli.main import ours

ENDS = {"|", ">", ">>", "<", "&&", "||", ";", "&"}
"""What ends a command for a shell, or says where its input and output go."""


def commands(line: str) -> Iterator[list[str]]:
    """The words of each nuages in a shell's line."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split = True
    lexer.commenters = ""
    words: list[str] = []
    for word in [*lexer, ";"]:
        if word in ENDS:
            if words[:1] == ["nuages"]:
                yield words[1:]
            words = []
        else:
            words.append(word)


def parsed(words: list[str]) -> None:
    """Take the words as a command does.

    Raises:
        UsageError: click's; there is no such command, or it takes no such thing.
    """
    words = ours(words)
    command: click.Command = nuages
    context = click.Context(nuages, info_name="nuages")
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        inner = command.get_command(context, words[0])
        if inner is None:
            raise click.UsageError(f"no command {words[0]}")
        name, *words = words
        command, context = inner, click.Context(inner, parent=context, info_name=name)
    try:
        command.make_context(context.info_name, words, parent=context.parent)
    except click.exceptions.Exit as done:  # --help and --version
        assert done.exit_code == 0
