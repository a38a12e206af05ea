"""What brings files of earlier releases along: an image that can't be had any more is left out, and nothing stands
still for it.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from nuages.app.objects import Object
from nuages.release import records
from nuages.release.phases.bring import apply_one, bring
from nuages.release.record import Stored
from nuages.release.steps import Advanced, Finished, Step
from nuages.release.world import World
from nuages.render.labels import COMPONENT
from nuages.render.static import without
from nuages.render.static_nginx import OWN
from nuages.rollout.pods import Symptom, troubles

LEFT_OUT = "release.W370"
"""The finding where an image can't be had."""


async def bring_along(phase: str, component: str, wanted: list[Object], release: Stored, world: World) -> Step:
    """Apply and judge as any phase, without the images of earlier releases for which a pod waits in vain."""
    record = release.record
    if record.phase(phase) and (lost := _lost(wanted, component, world)):
        left_out = tuple(sorted({*record.left_out, *lost}))
        # Written down first: who is killed in between finds them lost again, and applies it then.
        saved = await records.save(release, msgspec.structs.replace(record, left_out=left_out), world)
        for item in without(wanted, left_out):
            await world.lock.check()
            await apply_one(item, world)
        return Advanced(saved)
    objects = without(wanted, record.left_out)
    # Static files come up beside the phases before theirs (`services` applies them).
    step = await bring(phase, [] if phase == "static" else objects, objects, release, world)
    if not isinstance(step, Finished):
        return step
    gone = _gone(wanted, record.left_out)
    said = [f"without those of {_short(image)}, which can't be had ({LEFT_OUT})" for image in gone]
    return Finished("; ".join([step.note, *said]))


def _gone(wanted: list[Object], left_out: Collection[str]) -> list[str]:
    named = {image for item in wanted if item["kind"] == "Deployment" for image in _inits(item)}
    return [image for image in left_out if image in named]


def _lost(wanted: list[Object], component: str, world: World) -> set[str]:
    """The images of earlier releases for which a pod waits in vain; never the one that serves."""
    earlier: set[str] = set()
    for item in wanted:
        live = world.mirror.get("Deployment", item["metadata"]["name"]) if item["kind"] == "Deployment" else None
        if live:
            pod = live["spec"]["template"]["spec"]
            own = {each["image"] for each in pod.get("initContainers", []) if each["name"] == OWN}
            earlier |= _inits(live) - {pod["containers"][0]["image"]} - own
    return {
        image
        for pod in world.mirror.items("Pod")
        if pod["metadata"].get("labels", {}).get(COMPONENT) == component
        for trouble in troubles(pod)
        if trouble.symptom in {Symptom.IMAGE, Symptom.CRASH} and trouble.fatal(world.now())
        if (image := _image(pod, trouble.container)) in earlier
    }


def _inits(item: Object) -> set[str]:
    return {each["image"] for each in item["spec"]["template"]["spec"].get("initContainers", [])}


def _image(pod: Object, container: str) -> str:
    """The image of an init container; "" for any other."""
    return next((each["image"] for each in pod["spec"].get("initContainers", []) if each["name"] == container), "")


def _short(image: str) -> str:
    """An image as a person tells it from others: `blog@sha256:1f3a9c0b5d6e`."""
    name, _, digest = image.partition("@sha256:")
    return f"{name.rpartition('/')[2]}@sha256:{digest[:12]}"
