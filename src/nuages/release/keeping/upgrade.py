"""PostgreSQL's next major version, by dump and restore into a volume of its own.

1. A volume is made, and a pod fills it from the server that stands, which is read-only from then on. When it is full,
   the old set is written down on its claim.
2. The set gives way to one of the new version, on that volume, which is read-only as well.
3. Where the new server answers, what was written down goes, and it may be written to. That is the moment after which
   there is no way back; until then nobody has written to either. Where it does not answer, the old one is made again.
4. What the old one has written stays on its volume, which nothing removes.

All that is known of it is in the cluster, so whoever is killed anywhere just runs it again: it goes on, or back.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgspec

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.errors import NuagesError, Refused
from nuages.findings import Finding, Level, Place
from nuages.kube.client import Cluster
from nuages.progress import Said, Sink, step
from nuages.release import ownership
from nuages.release.keeping.jobs import fresh, ran, told
from nuages.release.locks import lock
from nuages.release.locks.holder import user
from nuages.release.locks.lock import ANY, Lock, Wish
from nuages.release.services import record
from nuages.release.services.apply import answers, reopen, unended
from nuages.release.services.change import Way, claimed, image, major, size
from nuages.release.services.record import Changed, Outcome
from nuages.release.services.volumes import amid, full, unhanded, without
from nuages.release.world import utc
from nuages.render import upgrade as objects
from nuages.render.backup import following
from nuages.render.foundation import accounts
from nuages.render.labels import BACKUP, POSTGRES, selector
from nuages.render.manifest import services
from nuages.render.upgrade import BEFORE, FILLED, housed, moved

NOTHING, OTHERWISE, IMPOSSIBLE = "release.E370", "release.E372", "release.E373"


class Upgrade(msgspec.Struct, frozen=True, kw_only=True):
    """What would become of it; `nuages services upgrade --json` prints it, and it only grows under one `schema`."""

    schema: int = 1
    name: str
    """What its set is called."""
    before: str
    """The major version that stands, or stood before an upgrade was stopped."""
    after: str
    leaves: str
    """The claim of the volume that stays behind."""
    fills: str
    """The claim of the new one."""
    storage: str
    """Its size."""
    filled: bool = False
    """Whether it is full already, and the old set gone: an upgrade was stopped amid its last step."""
    back: bool = False
    """Whether the old server is made again first: an upgrade was stopped on the way back, or the spec has another
    version by now.
    """


class Copied(msgspec.Struct, frozen=True, kw_only=True):
    """What the pod says that filled the volume."""

    seconds: float
    closed: float
    """Of these the ones in which nothing could be written."""
    server: str
    databases: int
    rows: int
    bytes: int


class Upgraded(msgspec.Struct, frozen=True, kw_only=True):
    """How it ended."""

    schema: int = 1
    before: str
    after: str
    """The version of the server, in full."""
    rows: int
    bytes: int
    seconds_unwritten: float
    """How long nothing could be written."""
    seconds_silent: float
    """Of these how long nobody answered."""
    left: str
    """The claim of the volume that stays behind."""


async def plan(app: App, cluster: Cluster, to: str = "") -> Upgrade:
    """What an upgrade would do; nothing is changed.

    Raises:
        Refused: there is nothing to upgrade, or it can't be.
    """
    if app.cloudnativepg:
        said = f"PostgreSQL of {app.name} in {app.environment} is run by an operator, which upgrades it by itself"
        place = Place(path="services.postgres.cloudnativepg.version")
        hint = "https://cloudnative-pg.io/docs/current/postgres_upgrades"
        raise Refused("nothing was touched", findings=[Finding(NOTHING, Level.ERROR, said, place, hint)])
    if app.postgres is None:
        raise _refused(NOTHING, f"PostgreSQL of {app.name} in {app.environment} is not run by nuages", "services list")
    name, asked = app.postgres.name, app.postgres.run.version
    if to and to != asked:
        hint = f'version: "{to}" there first: what the spec says is what backups and the next release go by'
        raise _refused(OTHERWISE, f"nuages.yaml says {asked}, not {to}", hint)
    wanted = _wanted(app)
    fills = claimed(wanted)
    live = await cluster.get("StatefulSet", app.namespace, name)
    if live is not None and (foreign := ownership.verdict(app.instance, live)):
        raise Refused("nothing was touched", findings=[foreign])
    planned = Upgrade(name=name, before="", after=asked, leaves="", fills=fills, storage=size(wanted))
    if stopped := await amid(app.namespace, selector(app, POSTGRES), cluster):
        old = written_down(stopped)
        if not _stands(live, old):
            on = full(stopped) and stopped["metadata"]["name"] == fills
            told = msgspec.structs.replace(planned, before=major(old), leaves=claimed(old))
            return msgspec.structs.replace(told, filled=on, back=not on)
    if live is None:
        if full(await cluster.get("PersistentVolumeClaim", app.namespace, fills)):
            return msgspec.structs.replace(planned, filled=True)
        raise _refused(NOTHING, f"there is no PostgreSQL of {app.name} in {app.environment} yet", "nuages deploy")
    before = major(live)
    planned = msgspec.structs.replace(planned, before=before, leaves=claimed(live))
    if before == asked:
        if planned.leaves == fills and await unended(app, cluster):
            return msgspec.structs.replace(planned, leaves="", filled=True)
        raise _refused(NOTHING, f"{name} is {before} already", 'version: "…" in nuages.yaml says what it is to be')
    if not before.isdecimal() or int(asked) < int(before):
        raise _refused(IMPOSSIBLE, f"{before} does not become {asked}: there is no way back by a dump", "a newer one")
    if not live.get("status", {}).get("readyReplicas"):
        raise _refused(IMPOSSIBLE, f"{name} does not answer, so it can't be copied", "nuages status; nuages env wake")
    return planned


async def upgrade(app: App, cluster: Cluster, sink: Sink, *, to: str = "", wish: Wish = ANY) -> Upgraded:
    """Bring PostgreSQL to the major version that the spec says.

    Raises:
        Refused: there is nothing to upgrade, or it can't be.
        Locked: a release is under way.
        CommandFailed: it can't be copied, or the new server does not answer; the old one serves as before.
    """
    held = lock.held(cluster, app.namespace, lock.name(app.name), wish, waiting=lambda line: sink(Said(line)))
    async with held as ours:
        planned = await plan(app, cluster, to)
        await record.close(app, cluster)
        changed = Changed(service="postgres", way=Way.UPGRADE, storage=planned.storage, by=user(), started=utc())
        async with _written(app, changed, cluster) as ended:
            done = await _filled_and_switched(app, planned, cluster, ours, sink)
            ended.append(
                f"{done.before} → {done.after}, {done.seconds_unwritten:.0f} s without writing, "
                f"{done.seconds_silent:.0f} s without an answer"
            )
    return done


async def _filled_and_switched(app: App, planned: Upgrade, cluster: Cluster, ours: Lock, sink: Sink) -> Upgraded:
    copied = Copied(seconds=0, closed=0, server=planned.after, databases=0, rows=0, bytes=0)
    if planned.back and (stopped := await amid(app.namespace, selector(app, POSTGRES), cluster)):
        await _back(app, stopped, cluster, sink)
    if not planned.filled and planned.before != planned.after:
        try:
            with step(sink, f"copy into {planned.fills}") as shown:
                copied = await _filled(app, planned, cluster, shown.say)
                shown.note = f"{copied.rows} rows, {copied.bytes / 1024**2:.0f} MiB, {copied.seconds:.0f} s"
            await ours.check()
        except BaseException:
            try:
                await asyncio.shield(reopen(app, cluster, sink))
            except NuagesError as error:  # it is the first one that is raised
                hint = "nuages services apply lets it be written to again"
                sink(Said(f"{planned.name} may be read-only still ({error.message}): {hint}"))
            raise
    began, silent = time.monotonic(), 0.0
    if planned.before != planned.after or planned.filled:
        with step(sink, f"PostgreSQL {planned.after}") as shown:
            await _switched(app, cluster, shown.say, sink)
            silent = time.monotonic() - began
            shown.note = f"{copied.server}, nobody answered for {silent:.1f} s"
        await reopen(app, cluster, sink)
        await _backups_follow(app, cluster)
    return Upgraded(
        before=planned.before,
        after=copied.server,
        rows=copied.rows,
        bytes=copied.bytes,
        seconds_unwritten=round(copied.closed + time.monotonic() - began, 1),
        seconds_silent=round(silent, 1),
        left=planned.leaves if planned.before != planned.after else "",
    )


async def _filled(app: App, planned: Upgrade, cluster: Cluster, say: Callable[[str], None]) -> Copied:
    """A new volume with all that the old server has."""
    live = await cluster.get("StatefulSet", app.namespace, planned.name)
    if live is None:
        raise _refused(NOTHING, f"{planned.name} was removed meanwhile", "nuages deploy")
    await _emptied(app, planned.fills, cluster)
    await cluster.create(objects.claim(app, planned.fills, _wanted(app)))
    made = told(await ran(app, objects.fill(app, fresh(app, "upgrade"), planned.fills), cluster, say), Copied)
    await _mark(app, planned.fills, cluster, {FILLED: "true", BEFORE: msgspec.json.encode(_again(live)).decode()})
    return made


async def _emptied(app: App, name: str, cluster: Cluster) -> None:
    """Take away what an upgrade that was stopped has filled; the server that stands has been written to since.

    Raises:
        Refused: a volume of that name is none that an upgrade has made.
    """
    there = await cluster.get("PersistentVolumeClaim", app.namespace, name)
    if there is None:
        return
    if FILLED not in there["metadata"].get("annotations", {}):
        said = f"there is a claim {name} that no upgrade has made"
        raise _refused(IMPOSSIBLE, said, f"kubectl delete pvc {name}, if nobody needs what it holds")
    await unhanded(app, name, cluster)
    await without(there, cluster, propagation="Foreground")


async def _switched(app: App, cluster: Cluster, say: Callable[[str], None], sink: Sink) -> None:
    """The new server in the place of the old one; where it does not answer, the old one again."""
    wanted = _wanted(app)
    for item in accounts(app):
        if item["metadata"]["name"] == wanted["spec"]["template"]["spec"]["serviceAccountName"]:
            await cluster.apply(item)
    try:
        await _in_place(app, wanted, cluster)
        await answers(app, wanted, cluster, say)
    except NuagesError:
        if stopped := await amid(app.namespace, selector(app, POSTGRES), cluster):
            await _back(app, stopped, cluster, sink)
        raise


async def _in_place(app: App, wanted: Object, cluster: Cluster) -> None:
    """A set in the place of whatever has its name; nothing is done where it stands there."""
    there = await cluster.get("StatefulSet", app.namespace, wanted["metadata"]["name"])
    if _stands(there, wanted):
        return
    if there is not None:
        await without(there, cluster, propagation="Foreground")
    await cluster.apply(wanted)


async def _back(app: App, stopped: Object, cluster: Cluster, sink: Sink) -> None:
    """The old server again. It is written down until it answers, and may be written to."""
    old = written_down(stopped)
    with step(sink, f"back to PostgreSQL {major(old)}") as shown:
        await _mark(app, stopped["metadata"]["name"], cluster, {FILLED: "false"})
        await _in_place(app, old, cluster)
        await answers(app, old, cluster, shown.say)
    await reopen(app, cluster, sink)


def written_down(claim: Object) -> Object:
    """The old set, as it can be made again."""
    return msgspec.json.decode(claim["metadata"]["annotations"][BEFORE], type=dict[str, Any])


def _again(live: Object) -> Object:
    """A set without what the cluster says of it."""
    about = live["metadata"]
    kept = {key: about[key] for key in ("name", "namespace", "labels", "annotations") if key in about}
    return {"apiVersion": live["apiVersion"], "kind": live["kind"], "metadata": kept, "spec": live["spec"]}


def _stands(live: Object | None, wanted: Object) -> bool:
    """Whether a set is there to stay, on the volume of another one: each major version has its own."""
    return live is not None and "deletionTimestamp" not in live["metadata"] and claimed(live) == claimed(wanted)


async def _backups_follow(app: App, cluster: Cluster) -> None:
    """What dumps at its time is of the server's version from now on: an older pg_dump refuses a newer server."""
    server = image(_wanted(app))
    for live in (await cluster.list("CronJob", app.namespace, labels=selector(app, BACKUP))).items:
        newer = following(live, server)
        if newer is not live:
            template = {"spec": {"template": {"spec": newer["spec"]["jobTemplate"]["spec"]["template"]["spec"]}}}
            patch = {"spec": {"jobTemplate": template}}
            await cluster.patch_merge("CronJob", app.namespace, live["metadata"]["name"], patch)


async def _mark(app: App, name: str, cluster: Cluster, notes: dict[str, str]) -> None:
    await cluster.patch_merge("PersistentVolumeClaim", app.namespace, name, {"metadata": {"annotations": notes}})


@asynccontextmanager
async def _written(app: App, changed: Changed, cluster: Cluster) -> AsyncIterator[list[str]]:
    """Write down what is done, before and after."""
    await record.write(app, changed, cluster)
    notes: list[str] = []
    try:
        yield notes
    except BaseException as error:
        ended = msgspec.structs.replace(changed, ended=utc(), outcome=Outcome.STOPPED)  # Ctrl-C
        if isinstance(error, NuagesError):
            ended = msgspec.structs.replace(ended, outcome=Outcome.FAILED, failure=error.message)
        with suppress(NuagesError):  # it is the first error that is told
            await asyncio.shield(record.write(app, ended, cluster))
        raise
    done = msgspec.structs.replace(changed, ended=utc(), outcome=Outcome.DONE, note="; ".join(notes))
    await record.write(app, done, cluster)


def _wanted(app: App) -> Object:
    """The set as it is to be: of the spec's version, on the volume that is filled for it."""
    sets = (item for item in services(app) if item["kind"] == "StatefulSet")
    name = app.postgres.name if app.postgres else ""
    made = next(item for item in sets if item["metadata"]["name"] == name)
    return housed(made, moved(major(made)))


def _refused(id_: str, said: str, hint: str) -> Refused:
    place = Place(path="services.postgres.run.version")
    return Refused("nothing was touched", findings=[Finding(id_, Level.ERROR, said, place, hint)])
