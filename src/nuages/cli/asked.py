"""What commands that take the lock have in common: why it is done, and whether it waits for its turn."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from nuages.cli.console import console

if TYPE_CHECKING:
    from nuages.progress import Sink
    from nuages.release.events import Teller
    from nuages.release.locks.lock import Wish

LONGEST = 200
"""Characters of a command line that others are shown."""


def wish_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--message` and `--wait[=DURATION]`."""
    message = click.option("--message", "-m", default="", help="Why; shown to others, kept in the record.")
    return message(wait_option(command))


def wait_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--wait[=DURATION]`."""
    return click.option(
        "--wait",
        is_flag=False,
        flag_value="for ever",
        metavar="[DURATION]",
        help="Queue behind who is at work, for as long as it takes or, with --wait=10m, so long.",
    )(command)


def json_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--json` of what takes its time."""
    return click.option("--json", "as_json", is_flag=True, help="Tell events, one JSON object a line.")(command)


def done_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--json` of what changes something (cli/done.py); progress is on standard error all the same."""
    return click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")(command)


def teller(as_json: bool) -> Teller | None:
    """Who tells events on standard output; progress is on standard error all the same, for people."""
    from nuages.release.events import Teller

    return Teller(console.print) if as_json else None


def sink(told: Teller | None) -> Sink:
    """Where progress goes."""
    from nuages.release.events import both

    return both(told.sink, console.sink) if told else console.sink


def wish(message: str, wait: str | None) -> Wish:
    """What is wanted of the lock.

    Raises:
        UsageError: the time to wait has no unit.
    """
    from nuages.errors import UsageError
    from nuages.release.locks.lock import FOR_EVER, Wish
    from nuages.spec.units import DURATION_PATTERN, seconds

    if wait in {None, "for ever"}:
        return Wish(typed(sys.argv[1:]), message, FOR_EVER if wait else 0)
    if not re.match(DURATION_PATTERN, wait or ""):
        raise UsageError(f"--wait: {wait!r} is no duration", hint="--wait=10m, or --wait alone as the last option")
    return Wish(typed(sys.argv[1:]), message, seconds(wait or ""))


def typed(arguments: list[str]) -> str:
    """The command line as others see it: without its message, which stands beside it."""
    kept, skipped = [], False
    for argument in arguments:
        if skipped or argument in {"-m", "--message"}:
            skipped = not skipped
        elif not argument.startswith("--message="):
            kept.append(argument)
    return shlex.join(["nuages", *kept])[:LONGEST]
