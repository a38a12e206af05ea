"""The front ends, behind the web whose answers they ask for."""

from __future__ import annotations

from nuages.release.phases.earlier import bring_along
from nuages.release.record import Stored
from nuages.release.steps import Step
from nuages.release.world import World
from nuages.render.labels import FRONTEND


async def frontends(release: Stored, world: World) -> Step:
    """The new pods beside the old ones until they are ready: a new page may ask for what only the new web answers.

    They have the files of earlier releases too, which pages name that are open; an image of those that can't be had
    any more is left out.
    """
    return await bring_along("frontends", FRONTEND, release.manifest.frontends, release, world)
