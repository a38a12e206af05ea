"""A PostgreSQL that an operator runs is waited for as one of ours is: until it can be written to.

What opens it, and who vouches for it, are there by then: the operator writes both before it starts the first instance.
"""

from __future__ import annotations

from datetime import timedelta

from nuages.errors import Forbidden
from nuages.release.phases.bring import LOOK_AGAIN, live_of
from nuages.release.record import Stored
from nuages.release.steps import Failed, Step, Waiting
from nuages.release.world import World
from nuages.render.cloudnativepg import CLUSTER
from nuages.rollout import cloudnativepg, kinds

PATIENCE = timedelta(minutes=15)
"""How long it may take: images are pulled, a volume is made, a database is; recovery may take as long."""


async def up(release: Stored, world: World) -> Step | None:
    """Why the release waits for it, or fails; None where it answers, or there is none."""
    found = [item for item in release.manifest.services if item["kind"] == CLUSTER]
    if not found:
        return None
    (wanted,) = found
    try:
        live = await live_of(wanted, world)
    except Forbidden:
        return None  # the migration tells whether it answers
    name, namespace = wanted["metadata"]["name"], wanted["metadata"]["namespace"]
    verdict = cloudnativepg.answers(live) if live else kinds.Waiting("not there yet")
    hint = cloudnativepg.cure(namespace, name)
    if isinstance(verdict, kinds.Done):
        return None
    if isinstance(verdict, kinds.Failed):
        return Failed(f"{name}: {verdict.reason}", hint=hint)
    passed = release.record.phase("services")
    if passed and world.now() - passed.started > PATIENCE:
        minutes = int(PATIENCE.total_seconds() // 60)
        return Failed(f"{name}: no answer in {minutes} minutes; {verdict.reason}", hint=hint)
    return Waiting(f"{name} {verdict.reason}", LOOK_AGAIN)
