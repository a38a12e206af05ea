"""What each phase does. One shape for all: apply its objects once, write that down, then judge until all hold."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import msgspec

from nuages.app.objects import Object
from nuages.errors import Forbidden
from nuages.kube.failures import FieldConflict
from nuages.progress import Said
from nuages.release import records, standing
from nuages.release.ownership import holds_data, verdict
from nuages.release.record import DatabaseState, Record, Reference, Stored
from nuages.release.steps import Advanced, Failed, Finished, Step, Waiting
from nuages.release.world import World
from nuages.render.labels import COMPONENT, POSTGRES, RUNTIME, VOLUME
from nuages.rollout.diagnosis import diagnose
from nuages.rollout.kinds import View
from nuages.rollout.watcher import Survey, survey
from nuages.spec.units import bytes_of

PATIENCE = timedelta(minutes=10)
"""How long a phase may stand without an end, where its objects have no deadline of their own."""

OWN_DEADLINE = frozenset({"Deployment", "Job"})
"""The kinds that say themselves when they took too long (progressDeadlineSeconds, activeDeadlineSeconds)."""

TAKEN_BACK = frozenset({".spec.replicas"})
"""The fields that a release takes back from whoever changed them."""

LOOK_AGAIN = 5.0
"""Seconds after which a phase looks again though nothing changed: some verdicts depend on the time."""

SLOW = timedelta(seconds=20)
"""From when on it is said why a phase still waits, as far as pods and logs tell."""

HOPELESS = frozenset({"diag.D091"})
"""The causes that end a release then, though pods go on trying: no password becomes the right one by waiting."""

VERIFY = timedelta(seconds=10)
"""How long a web whose pods are ready may take to answer through its Service."""


async def services(release: Stored, world: World) -> Step:
    """What the pods stand on: identity, configuration, walls, volumes; and data stores that are not there yet.

    A data store that exists is never changed by a release (it has a life of its own); only waited for.
    """
    manifest = release.manifest
    apply: list[Object] = []
    if release.record.phase("services") is None:
        foundation = [wanted for wanted in manifest.foundation if wanted["kind"] != "Namespace"]
        larger = await asyncio.gather(*(_larger(wanted, world) for wanted in foundation))
        there = await asyncio.gather(*(_live(wanted, world) for wanted in manifest.services))
        apply += [wanted for wanted, stays in zip(foundation, larger, strict=True) if not stays]
        apply += [wanted for wanted, live in zip(manifest.services, there, strict=True) if live is None]
    step = await _bring("services", apply, manifest.services, release, world)
    if not isinstance(step, Finished):
        return step
    stores = [wanted for wanted in manifest.services if wanted["kind"] == "StatefulSet"]
    lives = [(wanted, world.mirror.get("StatefulSet", wanted["metadata"]["name"])) for wanted in stores]
    stays = [standing.kept(wanted, live) for wanted, live in lives if live]
    return Finished("; ".join(filter(None, [step.note, *stays])))


async def expand(release: Stored, world: World) -> Step:
    """Bring the database to where this image's code expects it, before the first new pod."""
    record = release.record
    target = DatabaseState(volumes=_places(release, world), migrations=record.build.migrations)
    if record.phase("expand") is None and record.database == target:
        return Finished("nothing to migrate")
    if record.phase("expand") is None and record.database is not None:
        # From here on it is not known how far the database is, until the Job says that it is done.
        return Advanced(await records.save(release, msgspec.structs.replace(record, database=None), world))
    step = await _bring("expand", release.manifest.expand, release.manifest.expand, release, world)
    if isinstance(step, Finished) and record.database is None:
        return Advanced(await records.save(release, msgspec.structs.replace(record, database=target), world))
    return step


async def workers(release: Stored, world: World) -> Step:
    """New workers for old ones: those stop to take tasks first, and end the ones they have, beside the new."""
    step = await _bring("workers", release.manifest.workers, release.manifest.workers, release, world)
    if isinstance(step, Failed) and world.serving:
        # No old one was kept beside: it would take new tasks that it does not know, and drop them.
        idle = "no tasks are worked off until then: the old workers have ended. nuages rollback brings them back"
        return step._replace(hint=f"{step.hint}; {idle}" if step.hint else idle)
    return step


async def web(release: Stored, world: World) -> Step:
    """The new pods, beside the old ones until they are ready, and the way in."""
    objects = [*release.manifest.web, *release.manifest.exposure]
    return await _bring("web", objects, objects, release, world)


async def beat(release: Stored, world: World) -> Step:
    """The one that sends tasks by the clock; last, when those who know them are there."""
    return await _bring("beat", release.manifest.beat, release.manifest.beat, release, world)


async def verify(release: Stored, world: World) -> Step:
    """Each web answers through its Service, as this release."""
    record = release.record
    if (passed := record.phase("verify")) is None:
        return Advanced(await records.save(release, record.begun("verify", world.now(), []), world))
    notes = []
    for service in [item for item in release.manifest.web if item["kind"] == "Service"]:
        if service["metadata"].get("annotations", {}).get(RUNTIME) == "false":
            continue  # the project's own server has no /-/ready
        name, port = service["metadata"]["name"], service["spec"]["ports"][0]["name"]
        try:
            status, body = await world.cluster.service_get(record.namespace, name, port, "/-/ready")
        except Forbidden:
            notes.append(f"{name} not asked: no right to get services/proxy")
            continue
        said = msgspec.json.decode(body).get("release") if status == 200 else f"nothing but {status}"
        if said == str(record.template):
            notes.append(f"{name} answers as release {said}")
        elif world.now() - passed.started < VERIFY:
            return Waiting(f"{name} answers as {said}", 1.0)
        elif b'"Status"' in body:
            # The API server's own words: it could not reach the pod (a wall in between), which proves nothing.
            notes.append(f"{name} not asked: the API server does not reach it")
        else:
            wanted = f"{name} answers as {said}, not as release {record.template}"
            return Failed(wanted, hint=f"look at its log: kubectl -n {record.namespace} logs deploy/{name}")
    return Finished(", ".join(notes))


async def prune(release: Stored, world: World) -> Step:
    """Remove what earlier releases made and this one has no use for; never anything that holds data.

    Only what our own records name, that is still ours, and of the uid that was written down. One that was applied just
    before a release was killed has none written down. What a kept record needs to be restored stays with it.
    """
    record = release.record
    history = await records.history(world.cluster, record.namespace, record.app, record.environment)
    kept = records.kept(history)
    needed = {(item["kind"], item["metadata"]["name"]) for item in release.manifest.objects}
    needed |= {("Secret", stored.record.secrets) for stored in kept if stored.record.secrets}
    named = {(item["kind"], item["metadata"]["name"]) for stored in history for item in stored.manifest.objects}
    named |= {("Secret", stored.record.secrets) for stored in history if stored.record.secrets}
    candidates = sorted((kind, name) for kind, name in named - needed if kind != "Namespace")
    lives = await asyncio.gather(*(world.cluster.get(kind, record.namespace, name) for kind, name in candidates))
    inventory = {reference for stored in history for reference in stored.record.inventory}
    removable = [live for live in lives if live and not holds_data(live) and _ours(live, record, inventory)]
    for live in removable:
        await world.lock.check()
        metadata = live["metadata"]
        await world.cluster.delete(live["kind"], record.namespace, metadata["name"], uid=metadata["uid"])
    await world.lock.check()
    await records.forget(history, kept, world.cluster)
    return Finished(f"{len(removable)} removed" if removable else "nothing to remove")


def _ours(live: Object, record: Record, inventory: set[Reference]) -> bool:
    """Whether an object that a record names is the one that was made then, not another one of that name."""
    kind, name = live["kind"], live["metadata"]["name"]
    uids = {reference.uid for reference in inventory if (reference.kind, reference.name) == (kind, name)}
    return verdict(record.instance, live) is None and (not uids or live["metadata"]["uid"] in uids)


async def _bring(phase: str, apply: list[Object], judge: list[Object], release: Stored, world: World) -> Step:
    record = release.record
    if (passed := record.phase(phase)) is None:
        await world.lock.check()
        # All of them end before the first error is raised: nothing is written any more once the lock is given back.
        answers = await asyncio.gather(*(_apply(wanted, world) for wanted in apply), return_exceptions=True)
        for error in answers:
            if isinstance(error, BaseException):
                raise error
        live = [answer for answer in answers if not isinstance(answer, BaseException)]
        return Advanced(await records.save(release, record.begun(phase, world.now(), live), world))
    found = survey(judge, world.mirror, world.now())
    if found.failed:
        return await _failed(found, world)
    if not found.waiting:
        return Finished(found.note)
    if world.now() - passed.started > PATIENCE and (late := overdue(found, world.mirror)):
        return await _failed(Survey(done=found.done, waiting=[], failed=late), world)
    said = "; ".join(f"{item['metadata']['name']} {reason}" for item, reason in found.waiting)
    if world.now() - passed.started > SLOW:
        why = await diagnose(world.cluster, world.mirror, found.waiting[0][0])
        if why and why.id in HOPELESS:
            return await _failed(Survey(done=found.done, waiting=[], failed=found.waiting[:1]), world)
        said += f": {why.cause} ({why.id})" if why and why.cause else ""
    return Waiting(said, LOOK_AGAIN)


def overdue(found: Survey, view: View) -> list[tuple[Object, str]]:
    """Of those that are waited for, the ones that nothing else ends: a migration may take what the spec allows it."""
    return [
        (item, reason)
        for item, reason in found.waiting
        if item["kind"] not in OWN_DEADLINE or view.get(item["kind"], item["metadata"]["name"]) is None
    ]


async def _failed(found: Survey, world: World) -> Failed:
    """The worst of what failed, with the pod and the line that say why."""
    item, reason = found.failed[0]
    name = item["metadata"]["name"]
    diagnosis = await diagnose(world.cluster, world.mirror, item)
    if diagnosis is None:
        return Failed(f"{name}: {reason}")
    return Failed(f"{name}: {diagnosis.summary}", diagnosis.text, diagnosis.hint)


async def _apply(wanted: Object, world: World) -> Object:
    """Apply one object.

    Replicas that a person set by hand are taken back, and said: the spec owns them unless an autoscaler does.
    All other fields of other managers are left alone: the conflict ends the release.
    """
    try:
        live = await world.cluster.apply(wanted)
    except FieldConflict as conflict:
        if not conflict.only(TAKEN_BACK):
            raise
        world.sink(Said(f"{wanted['metadata']['name']}: replicas were set by hand; back to what the spec says"))
        live = await world.cluster.apply(wanted, force=True)
    world.mirror.saw(live)
    return live


async def _live(wanted: Object, world: World) -> Object | None:
    metadata = wanted["metadata"]
    return await world.cluster.get(wanted["kind"], metadata["namespace"], metadata["name"])


async def _larger(wanted: Object, world: World) -> bool:
    """Whether it is a volume that has more room than is wanted: volumes never shrink, so it stays as it is.

    https://kubernetes.io/docs/concepts/storage/persistent-volumes/#expanding-persistent-volumes-claims
    """
    if wanted["kind"] != "PersistentVolumeClaim" or (live := await _live(wanted, world)) is None:
        return False
    asked, has = (claim["spec"]["resources"]["requests"]["storage"] for claim in (wanted, live))
    if larger := bytes_of(has) > bytes_of(asked):
        world.sink(Said(f"{wanted['metadata']['name']} stays at {has}: a volume can't shrink to {asked}"))
    return larger


def _places(release: Stored, world: World) -> tuple[str, ...]:
    """What tells one database from another: on another one, what was migrated before counts nothing.

    The uids of our data store's volumes; without one, of the folders that are kept (SQLite's file may be in one), and
    the names of the configuration and the secrets, which say where a database of somebody else's is.
    """
    if any(item["metadata"]["labels"][COMPONENT] == POSTGRES for item in release.manifest.services):
        return _claims(POSTGRES, world)
    configured = [item["metadata"]["name"] for item in release.manifest.foundation if item["kind"] == "ConfigMap"]
    return (*_claims(VOLUME, world), *configured, *filter(None, [release.record.secrets]))


def _claims(component: str, world: World) -> tuple[str, ...]:
    """The uids of a component's volumes."""
    return tuple(
        sorted(
            claim["metadata"]["uid"]
            for claim in world.mirror.items("PersistentVolumeClaim")
            if claim["metadata"].get("labels", {}).get(COMPONENT) == component
        )
    )
