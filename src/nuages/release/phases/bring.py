"""What most phases do: apply their objects once, write that down, then judge until all hold."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from nuages.app.objects import Object
from nuages.errors import Rejected
from nuages.kube.failures import FieldConflict
from nuages.progress import Said
from nuages.release import records, scaling
from nuages.release.pace import limit, told
from nuages.release.plan.objects import given_back
from nuages.release.record import Stored
from nuages.release.steps import Advanced, Failed, Finished, Step, Waiting
from nuages.release.world import World
from nuages.render import pause
from nuages.render.autoscale import scaler
from nuages.rollout.causes import FOR_GOOD, HOPELESS, QUOTA
from nuages.rollout.diagnosis import diagnose
from nuages.rollout.kinds import View
from nuages.rollout.watcher import Survey, survey, suspicious, unmade

PATIENCE = timedelta(minutes=10)
"""How long a phase may stand without an end, where its objects have no deadline of their own; more by their probes."""

OWN_DEADLINE = frozenset({"Deployment", "Job"})
"""The kinds that say themselves when they took too long (progressDeadlineSeconds, activeDeadlineSeconds)."""

TAKEN_BACK = frozenset({".spec.replicas"})
"""The fields that a release takes back from whoever changed them."""

LOOK_AGAIN = 5.0
"""Seconds after which a phase looks again though nothing changed: some verdicts depend on the time."""

SLOW = timedelta(seconds=20)
"""From when on it is said why a phase still waits, as far as pods and logs tell."""

LOOK_SOON = 1.0
"""Seconds until a Job or a StatefulSet without a pod is looked at again: only events tell why, and none is watched."""


async def bring(
    phase: str,
    apply: list[Object],
    judge: list[Object],
    release: Stored,
    world: World,
    *,
    stand: Sequence[Object] = (),
) -> Step:
    """Apply `apply` when the phase begins, and judge `judge` until all of them hold.

    `stand` are live objects that are the release's too, though it does not touch them: they go into its inventory.

    Raises:
        ClusterError: an object was refused; all that could be applied is.
    """
    record = release.record
    if (passed := record.phase(phase)) is None:
        live = await apply_all(apply, world)
        return Advanced(await records.save(release, record.begun(phase, world.now(), [*stand, *live]), world))
    found = survey_of(judge, world)
    if found.failed:
        return await failed(found, world)
    if not found.waiting:
        return Finished(found.note)
    if late := overdue(found, world.mirror, world.now() - passed.started):
        return await failed(Survey(done=found.done, waiting=[], failed=late), world)
    said = "; ".join(f"{item['metadata']['name']} {reason}" for item, reason in found.waiting)
    slow = world.now() - passed.started > SLOW
    odd = [one for one in found.waiting if suspicious(one[0], world.mirror, world.now())]
    if slow or odd:
        one = (odd or found.waiting)[0]
        why = await diagnose(world.cluster, world.mirror, one[0])
        if why and (why.id in FOR_GOOD or (slow and (why.id in HOPELESS or (odd and why.id == QUOTA)))):
            return await failed(Survey(done=found.done, waiting=[], failed=[one]), world)
        pace = told(one[0], world.mirror, world.now())
        said += f": {why.cause} ({why.id})" if why and why.cause else f", {pace}" if pace else ""
    soon = any(unmade(item, world.mirror) for item, _ in found.waiting)
    return Waiting(said, LOOK_SOON if soon else LOOK_AGAIN)


def overdue(found: Survey, view: View, waited: timedelta) -> list[tuple[Object, str]]:
    """Of those that were waited for too long, by their own probes, the ones that nothing else ends: a migration may
    take what the spec allows it.
    """
    return [
        (item, reason)
        for item, reason in found.waiting
        if waited > limit(item, PATIENCE)
        and (item["kind"] not in OWN_DEADLINE or view.get(item["kind"], item["metadata"]["name"]) is None)
    ]


async def failed(found: Survey, world: World) -> Failed:
    """The worst of what failed, with the pod and the line that say why."""
    item, reason = found.failed[0]
    name = item["metadata"]["name"]
    diagnosis = await diagnose(world.cluster, world.mirror, item)
    if diagnosis is None:
        return Failed(f"{name}: {reason}")
    return Failed(f"{name}: {diagnosis.summary}", diagnosis.text, diagnosis.hint)


async def apply_all(objects: list[Object], world: World) -> list[Object]:
    """Apply all of them at once; answers them as they are now.

    Raises:
        ClusterError: one was refused; all others that could be applied are.
    """
    await world.lock.check()
    # All of them end before the first error is raised: nothing is written any more once the lock is given back.
    answers = await asyncio.gather(*(apply_one(wanted, world) for wanted in objects), return_exceptions=True)
    for error in answers:
        if isinstance(error, BaseException):
            raise error
    return [answer for answer in answers if not isinstance(answer, BaseException)]


def survey_of(objects: list[Object], world: World) -> Survey:
    """Which of them are done, which are waited for, and which failed."""
    return survey(objects, world.mirror, world.now())


async def apply_one(wanted: Object, world: World) -> Object:
    """Apply one object.

    Replicas that a person set by hand are taken back, and said: the spec owns them unless an autoscaler does.
    What somebody set back to what the release that serves has is taken over. All other fields of other managers are
    left alone: the conflict ends the release.
    Where a person has put a page in front of the app, what leads to it goes on leading to the page.
    """
    wanted = pause.led(wanted) if on_hand(world, wanted) else wanted
    if wanted["kind"] == "Deployment":
        await _scaled(wanted, world)
    try:
        live = await world.cluster.apply(wanted)
    except FieldConflict as conflict:
        if not conflict.only(TAKEN_BACK) and not await given_back(wanted, world.serving, world.cluster):
            raise
        if any(field.path in TAKEN_BACK for field in conflict.fields) and not scaling.known(wanted, world):
            world.sink(Said(f"{wanted['metadata']['name']}: replicas were set by hand; back to what the spec says"))
        live = await world.cluster.apply(wanted, force=True)
    except Rejected as no:
        live = await scaling.succeed(wanted, no, world)
    world.mirror.saw(live)
    return live


def on_hand(world: World, item: Object) -> bool:
    """Whether the page of a maintenance stands that a person put in front (`nuages maintenance on`)."""
    if not pause.in_front(item):
        return False
    return pause.stands(world.mirror.get("Deployment", pause.page_of(item)))


async def _scaled(wanted: Object, world: World) -> None:
    """Whose the number of pods is, and was: only asked where something scales them, or did."""
    seen = world.mirror.get("Deployment", wanted["metadata"]["name"])
    if scaler(wanted) or (seen and scaler(seen)):
        live = await live_of(wanted, world)
        await scaling.take_back(wanted, live, world)
        if "replicas" not in wanted["spec"]:
            await scaling.hand_over(wanted, live, world)


async def delete(live: Object, world: World) -> None:
    """Delete this very object, and no other one of its name."""
    await world.lock.check()
    about = live["metadata"]
    await world.cluster.delete(live["kind"], about.get("namespace"), about["name"], uid=about["uid"])


async def live_of(wanted: Object, world: World) -> Object | None:
    """The object of that kind and name as it is now; None where there is none."""
    metadata = wanted["metadata"]
    return await world.cluster.get(wanted["kind"], metadata["namespace"], metadata["name"])
