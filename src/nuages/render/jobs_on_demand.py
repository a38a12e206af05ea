"""What of the spec has a name and can be run by it: its jobs, and its schedules before their time."""

from __future__ import annotations

from typing import NamedTuple

from nuages.app import commands
from nuages.app.components import App
from nuages.spec.model import Job, Schedule


class Named(NamedTuple):
    """A command by its name."""

    command: list[str]
    time: str
    """How long it may take."""
    cpu: str
    memory: str
    when: str = ""
    """Of a schedule: its times."""


def declared(app: App) -> dict[str, Named]:
    """All of them, jobs first; where a job and a schedule have one name, it is the job's."""
    found = {key: _named(job) for key, job in app.jobs.items()}
    schedules = {key: one.schedule for key, one in app.schedules.items()}
    return found | {key: _named(one, one.cron) for key, one in schedules.items() if key not in found}


def named(app: App, arguments: tuple[str, ...]) -> Named | None:
    """What one word means; None where it is a program, or there are several."""
    return declared(app).get(arguments[0]) if len(arguments) == 1 else None


def _named(job: Job | Schedule, when: str = "") -> Named:
    return Named(
        command=commands.in_full(job), time=job.timeout, cpu=job.resources.cpu, memory=job.resources.memory, when=when
    )
