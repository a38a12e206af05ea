"""What a job, a schedule, a hook or a first filling runs."""

from __future__ import annotations

from typing import Protocol


class Declared(Protocol):
    """A command as the spec has it: written out, or one of manage.py."""

    @property
    def command(self) -> list[str] | None:
        """Any program, with its arguments."""

    @property
    def manage(self) -> list[str] | None:
        """A command of manage.py, with its arguments."""


def in_full(declared: Declared) -> list[str]:
    """As a process is started: `manage: [clearsessions]` is short for `python manage.py clearsessions`."""
    return declared.command or ["python", "manage.py", *(declared.manage or [])]
