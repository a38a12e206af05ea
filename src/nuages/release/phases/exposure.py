"""The ways in, when all that they lead to is there."""

from __future__ import annotations

from nuages.app.objects import Object
from nuages.release.phases.bring import bring
from nuages.release.record import Stored
from nuages.release.steps import Step
from nuages.release.trials import beside
from nuages.release.world import World
from nuages.render.labels import KEY


async def exposure(release: Stored, world: World) -> Step:
    """Hosts, routes and certificates: behind the webs, so that no route leads to a pod that is not there yet."""
    objects = release.manifest.exposure
    return await bring("exposure", objects, objects, release, world)


async def newcomers(release: Stored, world: World) -> list[Object]:
    """The front ends that the release which serves has not: nothing leads to them yet, so they come up with the webs.

    All others come behind the ways in (phases/frontends.py): their new pages may ask for what only these lead to.
    """
    if not release.manifest.frontends:
        return []
    old = await beside.serving(world, release)
    known = {item["metadata"]["labels"][KEY] for item in old.manifest.frontends} if old else set()
    return [item for item in release.manifest.frontends if item["metadata"]["labels"][KEY] not in known]
