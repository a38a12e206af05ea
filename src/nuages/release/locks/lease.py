"""A Lease as nuages uses it: who claims it, and whether that one is alive. Pure, but for the clock it is given."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from enum import Enum
from typing import NamedTuple

from nuages.app.objects import Object
from nuages.release.locks.holder import BY_HAND, is_gone, person

DURATION = 15
"""Seconds without a renewal after which a holder counts as dead (client-go's default)."""

RENEW = 5.0
"""Seconds between renewals: two may be lost."""


class Life(Enum):
    """What we know of the holder of a Lease."""

    NONE = "nobody holds it, or it is dead"
    UNSURE = "it was not seen to renew it yet"
    ALIVE = "it renewed it before our eyes, or is a person"


class Claim(NamedTuple):
    """What a Lease says of its holder."""

    who: str
    """user@host."""
    since: str
    """In UTC, as 2026-11-21T13:20:05Z."""
    command: str = ""
    message: str = ""
    by_hand: bool = False

    @property
    def what(self) -> str:
        """The command and the message, as they follow in a line."""
        said = ": ".join(filter(None, [self.command, self.message]))
        return f" ({said})" if said else ""


def claim(lease: Object) -> Claim:
    """Read what a Lease says of its holder."""
    spec, said = lease["spec"], lease["metadata"].get("annotations") or {}
    holder = spec.get("holderIdentity", "")
    return Claim(
        who=person(holder),
        since=f"{spec.get('acquireTime', '')[:19]}Z",
        command=said.get("nuages.dev/command", ""),
        message=said.get("nuages.dev/message", ""),
        by_hand=holder.endswith(f"/{BY_HAND}"),
    )


class Sight:
    """Tells the living from the dead by our own clock alone: who renewed a Lease since we first saw it lives."""

    def __init__(self) -> None:
        """Nothing seen so far."""
        self._seen: dict[str, tuple[tuple[object, ...], float, bool]] = {}

    def judge(self, lease: Object | None) -> Life:
        """What is known of its holder now."""
        holder = lease["spec"].get("holderIdentity", "") if lease else ""
        if lease is None or not holder or is_gone(holder):
            return Life.NONE
        if claim(lease).by_hand:
            return Life.ALIVE
        clock = asyncio.get_running_loop().time()
        uid, state = lease["metadata"]["uid"], (*holding(lease), lease["spec"].get("renewTime"))
        known, since, alive = self._seen.get(uid, (state, clock, False))
        if known != state:
            since, alive = clock, True
        elif clock - since > int(lease["spec"].get("leaseDurationSeconds", DURATION)):
            return Life.NONE
        self._seen[uid] = (state, since, alive)
        return Life.ALIVE if alive else Life.UNSURE


def holding(lease: Object) -> tuple[object, ...]:
    """Which Lease, which epoch, who."""
    return lease["metadata"]["uid"], lease["spec"].get("leaseTransitions"), lease["spec"].get("holderIdentity")


def duties(holder: str, duration: int) -> Object:
    """The fields of a Lease that is held from now on."""
    return {"holderIdentity": holder, "leaseDurationSeconds": duration, "acquireTime": now(), "renewTime": now()}


def now() -> str:
    """The time as a Lease has it (MicroTime)."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
