"""How many pods there are, set by hand; and until when that holds.

The number of a component belongs to nuages.yaml, or to what scales it. By hand it is somebody else's for a time, under
a name of its own among the field managers: the next release sees that, says it, and takes the number back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.checks.app import check
from nuages.errors import Refused, UsageError
from nuages.findings import Finding, Level, Place
from nuages.kube.client import Cluster
from nuages.progress import Sink, step
from nuages.release import named
from nuages.release.byhand import changing, followed, workloads
from nuages.release.named import Part
from nuages.release.record import Stored
from nuages.release.scaling import HANDOVER
from nuages.release.world import World
from nuages.render.autoscale import HPA, bounds, pods, scaler
from nuages.render.labels import BEAT, WEB, WORKER

MANAGER = "nuages-scale"
"""The field manager of a number that was set by hand."""

BEYOND = "release.E420"
ALONE = "release.E421"


class Scaled(NamedTuple):
    """What became of one component."""

    part: str
    before: int
    now: int
    until: str
    """Who owns the number from here on, in words."""


async def scale(app: App, wanted: Mapping[str, int | None], cluster: Cluster, sink: Sink) -> list[Scaled]:
    """Give components another number of pods; None gives one back what its release says.

    Raises:
        UsageError: there is no such component, or several are meant.
        Refused: the database has no connections for so many, or what scales it would not leave it so.
        CommandFailed: the new pods can't start.
    """
    parts = {_one(app, name): number for name, number in wanted.items()}
    command = ("scale", *(f"{name}={'reset' if number is None else number}" for name, number in wanted.items()))
    async with changing(app, command, cluster, sink) as (world, serving):
        items = {part: _standing(part, world) for part in parts}
        numbers = {part: _first(part, serving) if n is None else n for part, n in parts.items()}
        if found := [*_unfit(numbers, items), *_beyond(app, numbers)]:
            raise Refused("nothing was changed", findings=found)
        done = []
        for part, number in numbers.items():
            before = items[part]["spec"].get("replicas", 1)
            with step(world.sink, f"scale {part}") as shown:
                await _set(items[part], number, world, back=parts[part] is None)
                await followed([items[part]], world, shown, hint=f"nuages scale --reset {part} takes it back")
            done.append(Scaled(str(part), before, number, _until(part, number, items[part], serving)))
    return done


def asked(words: Sequence[str], *, reset: bool) -> dict[str, int | None]:
    """`web=5 worker=2`; with reset, names alone.

    Raises:
        UsageError: it is something else.
    """
    found: dict[str, int | None] = {}
    for word in words:
        name, equals, number = word.partition("=")
        if reset and not equals:
            found[name] = None
        elif not reset and name and number.isdecimal():
            found[name] = int(number)
        else:
            hint = "nuages scale --reset web" if reset else "nuages scale web=5 worker=2"
            raise UsageError(f"{word} is not {'a component' if reset else 'COMPONENT=NUMBER'}", hint=hint)
    return found


def _one(app: App, name: str) -> Part:
    found = named.meant(app, name, among=named.SERVING)
    if len(found) > 1:
        raise UsageError(f"{name} is several", hint=f"say which: {', '.join(map(str, found))}")
    return found[0]


def _standing(part: Part, world: World) -> Object:
    found = workloads(world, [part])
    if not found:
        raise Refused(f"{part} is in nuages.yaml, and not in what is live", hint="nuages deploy brings it")
    return found[0]


def _first(part: Part, serving: Stored) -> int:
    """How many the release that serves began with."""
    items = [item for item in serving.manifest.objects if item["kind"] in ("Deployment", "StatefulSet")]
    return next((pods(item) for item in items if named.of(item) == part), 1)


def _unfit(numbers: Mapping[Part, int], items: Mapping[Part, Object]) -> list[Finding]:
    """What would be another number at once, and what must not be two."""
    found = []
    for part, number in numbers.items():
        path = Place(path=f"{part.component if part.component != WORKER else 'workers'}.{part.key}".rstrip("."))
        if part.component == BEAT and number > 1:
            said = "beat is one: two would send each task twice"
            found.append(Finding(ALONE, Level.ERROR, said, path, "nuages scale worker=2 works off more at once"))
        elif limits := bounds(items[part]):
            least, most = limits
            if not least <= number <= most:
                said = f"{number} is beyond what scales {part}, which has {least} to {most} and would undo it at once"
                hint = f"autoscale: {{min: {min(number, least)}, max: {max(number, most)}}}, and deploy"
                found.append(Finding(BEYOND, Level.ERROR, said, path, hint))
    return found


def _beyond(app: App, numbers: Mapping[Part, int]) -> list[Finding]:
    """The errors that an app of so many pods has, and this one has not: connections, volumes that one pod only has."""
    webs, workers = dict(app.web), dict(app.workers)
    for part, number in numbers.items():
        if part.component == WEB:
            most = max(number, webs[part.key].most) if webs[part.key].autoscale else number
            webs[part.key] = msgspec.structs.replace(webs[part.key], replicas=number, most=most)
        elif part.component == WORKER:
            most = max(number, workers[part.key].most) if workers[part.key].autoscale else number
            workers[part.key] = msgspec.structs.replace(workers[part.key], replicas=number, most=most)
    known = {(one.id, str(one.place)) for one in check(app) if one.level is Level.ERROR}
    scaled = check(msgspec.structs.replace(app, web=webs, workers=workers))
    return [one for one in scaled if one.level is Level.ERROR and (one.id, str(one.place)) not in known]


async def _set(item: Object, number: int, world: World, *, back: bool) -> None:
    await world.lock.check()
    about = item["metadata"]
    if back and not scaler(item):
        # Ours again, so that a later release has nothing to say of somebody's hand.
        spec = {"spec": {"replicas": number}}
        world.mirror.saw(await world.cluster.patch_merge(item["kind"], about["namespace"], about["name"], spec))
        return
    told = {
        "apiVersion": item["apiVersion"],
        "kind": item["kind"],
        "metadata": {"name": about["name"], "namespace": about["namespace"]},
        "spec": {"replicas": number},
    }
    world.mirror.saw(await world.cluster.apply(told, force=True, manager=HANDOVER if scaler(item) else MANAGER))


def _until(part: Part, number: int, item: Object, serving: Stored) -> str:
    if kind := scaler(item):
        word = "its autoscaler" if kind == HPA else "KEDA"
        least, most = bounds(item) or (number, number)
        return f"{word} owns the number, from {least} to {most}, and may change it within seconds"
    first = _first(part, serving)
    if number == first:
        return f"as release {serving.record.number} has it"
    field = f"{'workers' if part.component == WORKER else part.component}.{part.key}".rstrip(".")
    return f"until the next release, which brings {first} back; {field}.replicas: {number} in nuages.yaml keeps it"
