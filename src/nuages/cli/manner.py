"""How `nuages deploy` is told in which manner: beside what serves, in its place at once, or with a page in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from nuages.errors import UsageError

if TYPE_CHECKING:
    from nuages.release.manner import Manner

STEPS = "steps"


def manner_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--canary[=PERCENT]`, `--blue-green`, `--maintenance` and `--no-return`."""
    canary = click.option(
        "--canary",
        is_flag=False,
        flag_value=STEPS,
        metavar="[PERCENT]",
        help="First to so many requests, until `nuages promote`; without a number in the steps of the spec, judged.",
    )
    green = click.option("--blue-green", is_flag=True, help="All pods beside the old ones, then all requests at once.")
    page = click.option("--maintenance", is_flag=True, help="A page answers while nothing runs and migrations do.")
    stays = click.option("--no-return", is_flag=True, help="Leave what fails to be looked at; bring nothing back.")
    return canary(green(page(stays(command))))


def manner_of(canary: str | None, *, blue_green: bool, maintenance: bool, no_return: bool) -> Manner:
    """The manner that was asked for.

    Raises:
        UsageError: two at once, or no percentage.
    """
    from nuages.release.manner import Manner

    if sum((canary is not None, blue_green, maintenance)) > 1:
        raise UsageError("--canary, --blue-green and --maintenance are three manners; a release has one")
    kind = "canary" if canary is not None else "blue-green" if blue_green else ""
    percent = None if canary in (None, STEPS) else _percent(canary or "")
    return Manner(kind=kind, percent=percent, maintenance=maintenance, returns=not no_return)


def _percent(text: str) -> int:
    number = text.strip().removesuffix("%")
    if not number.isdigit() or not 1 <= int(number) <= 99:
        raise UsageError(f"--canary {text}: no share of the requests", hint="a percentage from 1% to 99%: --canary 10%")
    return int(number)
