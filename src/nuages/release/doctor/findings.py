"""What an examination finds: one line each, with its cure where it is no good."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from nuages.errors import NuagesError
from nuages.findings import Finding, Level


class State(StrEnum):
    """How one thing is."""

    WORKS = "works"
    BROKEN = "broken"
    """It stands in the way of a release."""
    POOR = "poor"
    """Something will be missed."""
    UNKNOWN = "unknown"
    """It could not be looked at."""


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    group: str
    """Of what it is a part: `machine`, `cluster`, `rights`, `environment`, `registry`, `inside`."""
    topic: str
    state: State
    said: str
    cure: str = ""


class Examination(msgspec.Struct, frozen=True, kw_only=True):
    """What `nuages doctor --json` prints; it only grows under one `schema`."""

    schema: int = 1
    app: str = ""
    """Empty where there is no nuages.yaml."""
    environment: str = ""
    namespace: str = ""
    context: str = ""
    server: str = ""
    looks: list[Look] = []

    @property
    def broken(self) -> list[Look]:
        """What stands in the way."""
        return [look for look in self.looks if look.state is State.BROKEN]


def works(group: str, topic: str, said: str) -> Look:
    """It is as it should be."""
    return Look(group=group, topic=topic, state=State.WORKS, said=said)


def broken(group: str, topic: str, said: str, cure: str = "") -> Look:
    """It stands in the way."""
    return Look(group=group, topic=topic, state=State.BROKEN, said=said, cure=cure)


def poor(group: str, topic: str, said: str, cure: str = "") -> Look:
    """It does not stand in the way."""
    return Look(group=group, topic=topic, state=State.POOR, said=said, cure=cure)


def unknown(group: str, topic: str, said: str, cure: str = "") -> Look:
    """Nobody could look."""
    return Look(group=group, topic=topic, state=State.UNKNOWN, said=said, cure=cure)


def of_error(group: str, topic: str, error: NuagesError) -> Look:
    """What an error says."""
    place = f"{error.place}: " if error.place else ""
    return broken(group, topic, place + error.message, error.hint)


def of_finding(group: str, topic: str, found: Finding) -> Look:
    """What a check says, in its own words."""
    make = broken if found.level is Level.ERROR else poor
    return make(group, topic, f"{found.message}  {found.id}", found.hint)
