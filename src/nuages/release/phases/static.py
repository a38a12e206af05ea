"""Static files, before any page names them."""

from __future__ import annotations

from nuages.release.phases.earlier import bring_along
from nuages.release.record import Stored
from nuages.release.steps import Step
from nuages.release.world import World
from nuages.render.labels import STATIC


async def static(release: Stored, world: World) -> Step:
    """The files of this release and of those before it, where a page of any of them may ask.

    They come up beside the phases before this one (`services` applies them); here it is waited for them. An image
    of an earlier release that can't be had any more is left out: its pages lose their files, and no release stands
    still for that.
    """
    return await bring_along("static", STATIC, release.manifest.static, release, world)
