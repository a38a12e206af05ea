"""Static files, before any page names them."""

from __future__ import annotations

from nuages.release.phases.bring import bring
from nuages.release.record import Stored
from nuages.release.steps import Step
from nuages.release.world import World


async def static(release: Stored, world: World) -> Step:
    """The files of this release and of those before it, where a page of any of them may ask."""
    return await bring("static", release.manifest.static, release.manifest.static, release, world)
