"""What is said where a command fails for another reason than those of `nuages.errors`: one line each, and a hint."""

from __future__ import annotations

import re
import sys

import click

from nuages.errors import NuagesError, UsageError


class Mistake(NuagesError):
    """Of nuages itself: something that nobody thought of."""


def misused(error: click.ClickException) -> UsageError:
    """A command line that click does not accept, as every other error is told: what is wrong, what is near, where to
    read on.
    """
    from nuages.cli.main import called

    message = error.format_message().strip().rstrip(".")
    message = re.sub(r"\. Did you mean '([^']*)'\?", r"; did you mean \1?", message[:1].lower() + message[1:])
    context = getattr(error, "ctx", None)
    page = f"{context.command_path if context else ' '.join(_named())} --help"
    if isinstance(error, click.NoSuchOption):
        close = f"; did you mean {' or '.join(error.possibilities)}?" if error.possibilities else ""
        message = f"no option {error.option_name}{close}"
        if error.option_name == "--debug":
            page = f"{called()} --debug {context.command_path.partition(' ')[2] if context else 'COMMAND'}"
    return UsageError(message, hint=page)


def failed(error: Exception) -> NuagesError:
    """The error to show for an exception: the one of ours that is in a group, this machine's own, or a mistake."""
    if isinstance(error, NuagesError):
        return error
    if isinstance(error, ExceptionGroup):
        leaves = list(_leaves(error))
        return failed(next((leaf for leaf in leaves if isinstance(leaf, NuagesError)), leaves[0]))
    if isinstance(error, OSError) and error.strerror:
        place = str(error.filename) if error.filename else ""
        return NuagesError(error.strerror[:1].lower() + error.strerror[1:], place=place)
    from nuages.release import redact

    said = redact.text(str(error)).partition("\n")[0]
    return Mistake(
        f"a mistake in nuages: {type(error).__name__}{f': {said}' if said else ''}",
        hint="`nuages --debug` before the command shows where; please report it",
    )


def _named() -> list[str]:
    """The command that was named, where click does not say: `nuages logs`."""
    from nuages.cli.main import COMMANDS, called

    return [called(), *(word for word in sys.argv[1:] if word in COMMANDS)][:2]


def _leaves(group: ExceptionGroup[Exception]) -> list[Exception]:
    return [
        leaf for each in group.exceptions for leaf in (_leaves(each) if isinstance(each, ExceptionGroup) else [each])
    ]
