"""What a phase, and so a release, can answer."""

from __future__ import annotations

from typing import NamedTuple

from nuages.release.record import Stored


class Advanced(NamedTuple):
    """Something was done and written down; call again."""

    release: Stored


class Finished(NamedTuple):
    """The phase is over; the note says how in a few words."""

    note: str = ""


class Waiting(NamedTuple):
    """Nothing to do until the cluster changes, or `again` seconds are over."""

    reason: str
    again: float


class Paused(NamedTuple):
    """The release waits for a person, or for a time far off: that is written down, and nobody waits in a process."""

    reason: str
    hint: str = ""


class Failed(NamedTuple):
    """The release can't go on; `detail` is what a person needs to see of it."""

    message: str
    detail: str = ""
    hint: str = ""
    refused: bool = False
    """Whether it is a check that said no, before anything was touched."""


class Done(NamedTuple):
    """All phases are over."""


Step = Advanced | Finished | Waiting | Paused | Failed | Done
