"""The webs."""

from __future__ import annotations

import contextlib

from nuages.app.objects import Object
from nuages.errors import Forbidden
from nuages.release import room
from nuages.release.phases.bring import apply_all, bring
from nuages.release.record import Stored
from nuages.release.steps import Finished, Step
from nuages.release.trials import beside
from nuages.release.world import World
from nuages.render.labels import KEY
from nuages.render.static import without

WAYS = frozenset({"Service", "Ingress", "HTTPRoute"})


async def web(release: Stored, world: World) -> Step:
    """The new pods, beside the old ones until they are ready; and front ends that nothing leads to yet.

    The ways in follow when all of these are there (phases/exposure.py); where nothing serves yet, they come at once: an
    address and a certificate may take longer than any pod. Where requests go elsewhere meanwhile, to a set beside or to
    the page of a maintenance, they come back only when all pods are there; what they went to ends then, and is gone
    when the release prunes.
    """
    objects = release.manifest.web
    if release.record.phase("web") is None:
        objects = room.fitted(objects, await _room(release, world))
    objects = [*objects, *without(await _newcomers(release, world), release.record.left_out)]
    if world.serving is None:
        objects += release.manifest.exposure
    if not _elsewhere(release, world):
        return await bring("web", objects, objects, release, world)
    ways = _ways(release)
    pods = [item for item in objects if item not in ways]
    step = await bring("web", pods, pods, release, world)
    if not isinstance(step, Finished):
        return step
    await apply_all(ways, world)
    await beside.end_webs(release, world)
    return step


async def _newcomers(release: Stored, world: World) -> list[Object]:
    """The front ends that the release which serves has not: nothing leads to them yet, so they come up with the webs.

    All others come behind the ways in (phases/frontends.py): their new pages may ask for what only these lead to.
    """
    if not release.manifest.frontends:
        return []
    old = await beside.serving(world, release)
    known = {item["metadata"]["labels"][KEY] for item in old.manifest.frontends} if old else set()
    return [item for item in release.manifest.frontends if item["metadata"]["labels"][KEY] not in known]


async def _room(release: Stored, world: World) -> room.Room:
    """What the namespace's quotas leave; nothing is known of them where there is no right to look."""
    with contextlib.suppress(Forbidden):
        return room.left((await world.cluster.list("ResourceQuota", release.record.namespace)).items)
    return {}


def _elsewhere(release: Stored, world: World) -> bool:
    """Whether requests go elsewhere now: by this release's own doing, or that of one that it takes back."""
    if release.record.trial or release.record.maintenance:
        return True
    for wanted in [item for item in release.manifest.web if item["kind"] == "Service"]:
        live = world.mirror.get("Service", wanted["metadata"]["name"])
        if live and live["spec"].get("selector", {}).get(KEY) != wanted["spec"]["selector"].get(KEY):
            return True
    return False


def _ways(release: Stored) -> list[Object]:
    return [item for item in [*release.manifest.web, *release.manifest.exposure] if item["kind"] in WAYS]
