"""Static files, before any page names them."""

from __future__ import annotations

import msgspec

from nuages.app.objects import Object
from nuages.release import records
from nuages.release.phases.bring import apply_one, bring
from nuages.release.record import Stored
from nuages.release.steps import Advanced, Finished, Step
from nuages.release.world import World
from nuages.render.labels import COMPONENT, STATIC
from nuages.render.static import without
from nuages.render.static_nginx import OWN
from nuages.rollout.pods import Symptom, troubles

LEFT_OUT = "release.W370"
"""The finding where an image can't be had."""


async def static(release: Stored, world: World) -> Step:
    """The files of this release and of those before it, where a page of any of them may ask.

    They come up beside the phases before this one (`services` applies them); here it is waited for them. An image
    of an earlier release that can't be had any more is left out: its pages lose their files, and no release stands
    still for that.
    """
    record = release.record
    if record.phase("static") and (lost := _lost(release, world)):
        left_out = tuple(sorted({*record.left_out, *lost}))
        # Written down first: who is killed in between finds them lost again, and applies it then.
        saved = await records.save(release, msgspec.structs.replace(record, left_out=left_out), world)
        for item in objects(saved):
            await world.lock.check()
            await apply_one(item, world)
        return Advanced(saved)
    step = await bring("static", [], objects(release), release, world)
    if not isinstance(step, Finished):
        return step
    gone = [f"without those of {_short(image)}, which can't be had ({LEFT_OUT})" for image in record.left_out]
    return Finished("; ".join([step.note, *gone]))


def objects(release: Stored) -> list[Object]:
    """What there is to be of them now, without what was left out."""
    return without(release.manifest.static, release.record.left_out)


def _lost(release: Stored, world: World) -> set[str]:
    """The images of earlier releases for which a pod waits in vain; never the one that serves."""
    deployment = next(item for item in release.manifest.static if item["kind"] == "Deployment")
    live = world.mirror.get("Deployment", deployment["metadata"]["name"])
    if live is None:
        return set()
    spec = live["spec"]["template"]["spec"]
    inits = spec.get("initContainers", [])
    serving = {spec["containers"][0]["image"], *(each["image"] for each in inits if each["name"] == OWN)}
    wanted = {each["image"] for each in inits} - serving
    return {
        image
        for pod in world.mirror.items("Pod")
        if pod["metadata"].get("labels", {}).get(COMPONENT) == STATIC
        for trouble in troubles(pod)
        if trouble.symptom in {Symptom.IMAGE, Symptom.CRASH} and trouble.fatal(world.now())
        if (image := _image(pod, trouble.container)) in wanted
    }


def _image(pod: Object, container: str) -> str:
    """The image of an init container; "" for any other."""
    return next((each["image"] for each in pod["spec"].get("initContainers", []) if each["name"] == container), "")


def _short(image: str) -> str:
    """An image as a person tells it from others: `blog@sha256:1f3a9c0b5d6e`."""
    name, _, digest = image.partition("@sha256:")
    return f"{name.rpartition('/')[2]}@sha256:{digest[:12]}"
