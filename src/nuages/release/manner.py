"""In which manner a release is brought live."""

from __future__ import annotations

import msgspec


class Manner(msgspec.Struct, frozen=True, kw_only=True):
    """What a deploy was asked for beyond what is to be live."""

    kind: str = ""
    """`canary` or `blue-green`, for a set beside the release that serves; "" for all at once."""
    percent: int | None = None
    """The first share of a canary; None for the spec's steps."""
    maintenance: bool = False
    """Whether a page stands in for the app meanwhile."""
    returns: bool = True
    """Whether the last good release is brought back by itself where this one fails."""


PLAIN = Manner()
