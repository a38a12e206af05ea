"""Where in a pod somebody runs a command, and how it is found again to be ended. Pure, and quick to import."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

from nuages.app.objects import Object
from nuages.errors import CommandFailed
from nuages.release import named

MARK = "NUAGES_EXEC"
SHELL = ("sh", "-c", "command -v bash >/dev/null && exec bash || exec sh")
"""What somebody wants who says no command."""

END = """\
for one in /proc/[0-9]*; do
  tr "\\0" "\\n" <"$one/environ" 2>/dev/null | grep -qx "$1" && kill -"$2" "${one#/proc/}"
done
true
"""
"""Ends every process that has the mark in its environment; a script for sh, which needs no ps."""

SIGNS = ("TERM", "KILL")
"""By which it is ended, one after the other."""

BETWEEN = 0.3
"""Seconds from one to the next."""


class Place(NamedTuple):
    """A container that runs."""

    pod: str
    container: str
    release: int
    """Of the release that its pod shows; 0 where it shows none."""
    serves: bool
    """Whether it is one of the app's own, which answers requests or works tasks off."""

    @property
    def told(self) -> str:
        """What whoever enters is told first."""
        if self.serves:
            return f"! {self.pod} serves meanwhile; nuages run -- COMMAND has a pod of its own"
        return f"· {self.pod}"


def place(pod: Object, container: str = "") -> Place:
    """Where in a pod a command runs.

    Raises:
        CommandFailed: it has no container of that name.
    """
    wanted = container or named.container(pod)
    found = {one["name"]: one for one in pod["spec"]["containers"]}
    if wanted not in found:
        about = f"{pod['metadata']['name']} has no container {wanted}"
        raise CommandFailed(about, hint=f"it has {', '.join(found)}")
    told = {variable["name"]: variable.get("value", "") for variable in found[wanted].get("env", ())}
    release = told.get("NUAGES_RELEASE", "")
    serves = named.of(pod).component in named.SERVING
    return Place(pod["metadata"]["name"], wanted, int(release) if release.isdigit() else 0, serves)


def mark() -> str:
    """What a program has in its environment that nobody else has."""
    return f"{MARK}={os.urandom(8).hex()}"


def marked(command: Sequence[str], mark: str, terminal: str = "") -> tuple[str, ...]:
    """A command, or a shell, with its mark."""
    return ("env", *((f"TERM={terminal}",) if terminal else ()), mark, *(tuple(command) or SHELL))


def noted(command: Sequence[str]) -> tuple[str, ...]:
    """A command as it is written down."""
    return tuple(command) or ("sh",)


def ending(mark: str, sign: str) -> tuple[str, ...]:
    """What ends a program that has a mark."""
    return ("sh", "-c", END, "sh", mark, sign)
