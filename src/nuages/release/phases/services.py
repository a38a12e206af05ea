"""What the pods stand on, before any of them."""

from __future__ import annotations

import asyncio

from nuages.app.objects import Object
from nuages.errors import Forbidden, Refused
from nuages.progress import Said
from nuages.release import standing
from nuages.release.phases import operated
from nuages.release.phases.bring import apply_one, bring, live_of
from nuages.release.record import Stored
from nuages.release.services.volumes import placed, settled
from nuages.release.steps import Failed, Finished, Step
from nuages.release.world import World
from nuages.render.access_roles import GRANTED
from nuages.spec.units import bytes_of


async def services(release: Stored, world: World) -> Step:
    """What the pods stand on: identity, configuration, walls, volumes; and data stores that are not there yet.

    A data store that exists is never changed by a release (it has a life of its own); only waited for.
    """
    manifest = release.manifest
    apply: list[Object] = []
    stand: list[Object] = []
    if release.record.phase("services") is None:
        foundation = [wanted for wanted in manifest.foundation if wanted["kind"] != "Namespace"]
        larger = await asyncio.gather(*(_larger(wanted, world) for wanted in foundation))
        there = await asyncio.gather(*(live_of(wanted, world) for wanted in manifest.services))
        granted = await asyncio.gather(*(_granted(wanted, release, world) for wanted in foundation))
        stays_as_it_is = [any(pair) for pair in zip(larger, granted, strict=True)]
        apply += [wanted for wanted, stays in zip(foundation, stays_as_it_is, strict=True) if not stays]
        missing = [wanted for wanted, live in zip(manifest.services, there, strict=True) if live is None]
        try:
            await asyncio.gather(*(settled(wanted, world.cluster) for wanted in manifest.services))
            apply += await asyncio.gather(*(placed(wanted, None, world.cluster) for wanted in missing))
        except Refused as no:
            (found,) = no.findings
            return Failed(found.message, hint=found.hint, refused=True)
        # Also those that are there: this very release may have made them, and been stopped before it wrote that down.
        stand = [live for live in there if live]
        apply += manifest.static  # it comes up beside the migration; its own phase waits for it
    step = await bring("services", apply, manifest.services, release, world, stand=stand)
    if not isinstance(step, Finished):
        return step
    if waits := await operated.up(release, world):
        return waits
    stores = [wanted for wanted in manifest.services if wanted["kind"] == "StatefulSet"]
    lives = [(wanted, world.mirror.get("StatefulSet", wanted["metadata"]["name"])) for wanted in stores]
    stays = [standing.kept(wanted, live) for wanted, live in lives if live]
    return Finished("; ".join(filter(None, [step.note, *stays])))


async def _granted(wanted: Object, release: Stored, world: World) -> bool:
    """Whether it is a right or a limit that stays as it is: it is as wanted, or, on the way back, nobody here may give
    it. A release that failed is not to stay for that.
    """
    if wanted["kind"] not in GRANTED:
        return False
    live = await live_of(wanted, world)
    if live and standing.granted(wanted, live):
        return True
    if release.record.restores is None:
        return False
    await world.lock.check()
    try:
        await apply_one(wanted, world)
    except Forbidden:
        world.sink(Said(f"{wanted['kind']} {wanted['metadata']['name']} stays as it is: no right to give it"))
        return True
    return False


async def _larger(wanted: Object, world: World) -> bool:
    """Whether it is a volume that has more room than is wanted: volumes never shrink, so it stays as it is.

    https://kubernetes.io/docs/concepts/storage/persistent-volumes/#expanding-persistent-volumes-claims
    """
    if wanted["kind"] != "PersistentVolumeClaim" or (live := await live_of(wanted, world)) is None:
        return False
    asked, has = (claim["spec"]["resources"]["requests"]["storage"] for claim in (wanted, live))
    if larger := bytes_of(has) > bytes_of(asked):
        world.sink(Said(f"{wanted['metadata']['name']} stays at {has}: a volume can't shrink to {asked}"))
    return larger
