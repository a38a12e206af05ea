"""The list of `nuages releases`, as text or as JSON. Pure."""

from __future__ import annotations

from nuages.cli.narrow import table
from nuages.cli.wording import document, duration, harmless
from nuages.release.brief import Brief, Releases


def listed(told: Releases, width: int | None, *, as_json: bool) -> str:
    """A line for each, the newest first, in columns; what is too wide stands below its number."""
    if as_json:
        return document(told)
    lines = table([_row(one) for one in told.releases], width)
    return "\n".join(lines) or f"no release of {told.app} in {told.namespace} yet"


def _row(one: Brief) -> tuple[str, ...]:
    what = f"back to {one.restores}" if one.restores else one.image.rpartition("@")[2][7:19]
    took = duration(one.seconds) if one.seconds is not None else ""
    began = f"{one.started[:10]} {one.started[11:16]}"
    why = (one.message or one.failure).replace("\n", " ")
    return str(one.number), one.state, began, took, what, harmless(one.by), harmless(why)
