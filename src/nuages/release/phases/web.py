"""The webs, and the way in."""

from __future__ import annotations

from nuages.release.phases.bring import bring
from nuages.release.record import Stored
from nuages.release.steps import Step
from nuages.release.world import World


async def web(release: Stored, world: World) -> Step:
    """The new pods, beside the old ones until they are ready, and the way in."""
    objects = [*release.manifest.web, *release.manifest.exposure]
    return await bring("web", objects, objects, release, world)
