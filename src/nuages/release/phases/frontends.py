"""The front ends, behind the web whose answers they ask for."""

from __future__ import annotations

from nuages.release.phases.bring import bring
from nuages.release.record import Stored
from nuages.release.steps import Step
from nuages.release.world import World


async def frontends(release: Stored, world: World) -> Step:
    """The new pods beside the old ones until they are ready: a new page may ask for what only the new web answers."""
    return await bring("frontends", release.manifest.frontends, release.manifest.frontends, release, world)
