"""A look at the database as it is, for the verdict on going back: the newest image that migrated it is asked, since it
knows what its migrations did.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from nuages.app.objects import Object
from nuages.app.schema import Schema
from nuages.errors import ClusterError, CommandFailed, Refused
from nuages.findings import Finding, Level, Place
from nuages.kube.client import Cluster
from nuages.release import asking
from nuages.release.back.misfit import Misfit, Weight
from nuages.release.back.verdict import Outcome, Verdict, going_back
from nuages.release.record import Outcome as Ended
from nuages.release.record import Stored

QUESTION = ("python", "-m", "nuages_runtime.migrations", "inspect")
TRIED = 2
"""Images that are asked: the newest may be the one that can't be pulled."""


class Looked(NamedTuple):
    """The database as it is, or why nobody could look."""

    schema: Schema | None
    why: str = ""


def asked(target: Stored, history: list[Stored]) -> list[Stored]:
    """The releases whose images may know what the database is like, the one that knows most first."""
    migrated = [
        stored
        for stored in history
        if stored.manifest.expand
        and stored.record.restores is None
        and (stored.record.phase("expand") or stored.record.outcome is Ended.LIVE)
    ]
    distinct = {stored.record.build.reference: stored for stored in reversed(migrated)}
    newest = sorted(distinct.values(), key=lambda stored: -stored.record.number)
    return (newest or [target])[:TRIED]


async def look(target: Stored, history: list[Stored], cluster: Cluster, say: Callable[[str], None]) -> Looked:
    """Ask in the cluster, with a Job that is gone afterwards.

    Raises:
        Refused: a migration is still under way: the answer would be another one in a moment.
    """
    why = ""
    for stored in asked(target, history):
        if not stored.manifest.expand:
            return Looked(None)
        job = stored.manifest.expand[0]
        try:
            await _still(job, cluster)
            if await asking.answerable(job, cluster):
                return Looked(await asking.ask(job, QUESTION, cluster, answer=Schema, title="inspect", say=say))
            why = why or "what its pod needs is not there any more"
        except (CommandFailed, ClusterError) as no:
            why = why or no.message
    return Looked(None, why)


async def _still(job: Object, cluster: Cluster) -> None:
    metadata = job["metadata"]
    live = await cluster.get("Job", metadata["namespace"], metadata["name"])
    if live and live.get("status", {}).get("active"):
        finding = Finding("release.E334", Level.ERROR, "a migration is still under way", Place(path=metadata["name"]))
        raise Refused("nobody can tell what the database will be like", findings=[finding], hint="wait for its end")


async def verdict(target: Stored, history: list[Stored], cluster: Cluster, say: Callable[[str], None]) -> Verdict:
    """Look, and judge.

    Raises:
        Refused: as `look`.
    """
    return judged(target, history, await look(target, history, cluster, say))


def judged(target: Stored, history: list[Stored], looked: Looked) -> Verdict:
    """The verdict; where nobody could look, or the release recorded nothing, equal migrations are the one safe case."""
    release, latest = target.record.number, history[0].record
    if not target.manifest.expand and not looked.schema and not looked.why:
        return Verdict(outcome=Outcome.SAFE, release=release)
    if looked.schema is not None and target.schema is not None:
        return going_back(target, looked.schema)
    if latest.database is not None and latest.database.migrations == target.record.build.migrations:
        return Verdict(outcome=Outcome.SAFE, release=release)
    if looked.schema is not None:
        return going_back(target, looked.schema)
    reason = Misfit(weight=Weight.HIDES, id="release.E337", message=f"nobody could look at the database: {looked.why}")
    return Verdict(outcome=Outcome.UNKNOWN, release=release, reasons=(reason,))
