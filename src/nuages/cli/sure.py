"""Production is confirmed by its name, in front of the cluster where it lives: a wrong terminal is found out there."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from nuages.app.components import App
    from nuages.kube.client import Cluster


def sure_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--yes`, of what changes what serves."""
    return click.option("--yes", "-y", is_flag=True, help="Don't ask for the name of production.")(command)


def sure(app: App, cluster: Cluster, does: str, *, yes: bool) -> None:
    """Ask for the environment's name, where it is one that is confirmed; nothing is touched before.

    Args:
        app: whose environment it is.
        cluster: where it would be done.
        does: what would be done, as a sentence begins: `Deploy`, `Roll back`.
        yes: whether it was said already.

    Raises:
        Refused: nobody is here to be asked.
        UsageError: another name was typed.
    """
    from nuages.errors import Refused, UsageError

    if yes or not app.confirm:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Refused(
            f"{app.environment} is confirmed by its name, and nobody is here to be asked",
            place=f"environments.{app.environment}",
            hint="--yes in a script, or confirm: false below the environment",
        )
    where = f"{app.instance} in {cluster.context} ({cluster.server})"
    answer = click.prompt(f"{does} {where}? Type {app.environment}", default="", show_default=False, err=True)
    if answer.strip() != app.environment:
        raise UsageError("nothing was touched", hint=f"type {app.environment}, or give --yes")


def agreed(app: App, cluster: Cluster, does: str, *, yes: bool) -> None:
    """As `sure`; where no name is asked for, whether to go on, below what was shown of it.

    Raises:
        Refused, UsageError: as `sure`.
        Abort: no was said.
    """
    sure(app, cluster, does, yes=yes)
    if not (yes or app.confirm):
        click.confirm(f"{does} {app.instance}?", abort=True, err=True)


def gone(question: str, name: str, *, done: str = "removed") -> None:
    """Ask for the name of what is removed, or otherwise lost, whatever it is called.

    Raises:
        Refused: nobody is here to be asked: what comes through a pipe was meant for something else.
        UsageError: another name was typed.
    """
    from nuages.errors import Refused, UsageError

    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Refused(f"nobody is here to be asked, and nothing was {done}", hint="--yes in a script")
    answer = click.prompt(f"{question} Type {name}", default="", show_default=False, err=True)
    if answer.strip() != name:
        raise UsageError(f"nothing was {done}", hint=f"type {name}, or give --yes")
