"""A data store is changed: one after another, each waited for, each written down before and after.

What is done to one can be done again, so whoever was stopped amid it just applies again: the volume is grown by asking
for the same size, a set that was taken from around its pod is made anew.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import timedelta

import msgspec

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.errors import CommandFailed, NuagesError, Refused
from nuages.kube.client import Cluster
from nuages.kube.watch import Mirror
from nuages.progress import Said, Sink, step
from nuages.release.keeping.jobs import fresh, ran
from nuages.release.locks import lock
from nuages.release.locks.holder import user
from nuages.release.locks.lock import ANY, Lock, Wish
from nuages.release.services import operated, record
from nuages.release.services.change import Store, Way, claimed, size
from nuages.release.services.look import WORKLOADS, fitting, look
from nuages.release.services.record import Changed, Outcome
from nuages.release.services.volumes import closed, forsaken, opened, placed, without
from nuages.release.world import utc
from nuages.render import upgrade
from nuages.render.foundation import accounts
from nuages.render.labels import POSTGRES, instance
from nuages.render.manifest import services
from nuages.rollout.causes import FOR_GOOD, HOPELESS
from nuages.rollout.diagnosis import diagnose
from nuages.rollout.kinds import Done, Failed
from nuages.rollout.watcher import KINDS, judge
from nuages.spec.units import bytes_of

PATIENCE = 600.0
"""Seconds until a store that does not answer counts as failed: recovery after a crash may take minutes."""

SLOW = timedelta(seconds=20)
"""From when on it is asked why it does not answer; what only gets worse is not waited for."""

CHANGES = frozenset({Way.RESTART, Way.ROLL, Way.GROW, Way.ANEW})


def refuse(app: App, found: list[Store]) -> None:
    """Say no before anything is touched.

    Raises:
        Refused: a store can't become what is wanted; with all findings.
    """
    if findings := [finding for store in found for finding in store.findings]:
        raise Refused(f"data stores of {app.name} can't become what is wanted; nothing was touched", findings=findings)


async def apply(
    app: App, cluster: Cluster, sink: Sink, *, only: tuple[str, ...] = (), wish: Wish = ANY
) -> list[Changed]:
    """Make the stores what the spec says; returns what was done.

    Raises:
        Refused: one can't become so; nothing was touched.
        Locked: a release is under way.
        CommandFailed: one does not answer; the others after it were not touched.
    """
    async with lock.held(
        cluster, app.namespace, lock.name(app.name), wish, waiting=lambda line: sink(Said(line))
    ) as held:
        await record.close(app, cluster)
        if await unended(app, cluster):
            await reopen(app, cluster, sink)
        found = [store for store in await look(app, cluster) if not only or store.service in only]
        refuse(app, found)
        return [await _change(app, store, cluster, held, sink) for store in found if store.way in CHANGES]


async def unended(app: App, cluster: Cluster) -> bool:
    """Whether the last that was done to PostgreSQL is an upgrade that did not end well, and it answers: a copy may have
    left it read-only, and nobody was there to open it, or could.
    """
    found = [one for one in await record.history(app, cluster) if one.service == POSTGRES]
    stopped = bool(found) and found[0].way is Way.UPGRADE and found[0].outcome is not Outcome.DONE
    if not app.postgres or not (stopped or await closed(app, cluster)):
        return False
    live = await cluster.get("StatefulSet", app.namespace, app.postgres.name)
    return bool((live or {}).get("status", {}).get("readyReplicas"))


async def reopen(app: App, cluster: Cluster, sink: Sink) -> None:
    """Let PostgreSQL be written to, where an upgrade that was stopped has left it read-only."""
    live = await cluster.get("StatefulSet", app.namespace, app.postgres.name) if app.postgres else None
    if live is not None:
        with step(sink, "let postgres be written to") as shown:
            await forsaken(app, live, cluster)
            await ran(app, upgrade.reopen(app, fresh(app, "reopen")), cluster, shown.say)
            await opened(app, cluster)


async def _change(app: App, store: Store, cluster: Cluster, held: Lock, sink: Sink) -> Changed:
    told = Changed(
        service=store.service,
        way=store.way,
        fields=tuple(field.path for field in store.fields),
        storage=store.storage,
        by=user(),
        started=utc(),
    )
    await record.write(app, told, cluster)
    try:
        with step(sink, store.service) as shown:
            if app.cloudnativepg and store.service == POSTGRES:
                await held.check()
                await operated.answered(await operated.become(app, cluster), cluster, shown.say)
            else:
                await _become(app, store, cluster, held)
                await answers(app, _workload(app, store), cluster, shown.say)
            shown.note = said(store)
    except BaseException as error:
        ended = msgspec.structs.replace(told, ended=utc(), outcome=Outcome.STOPPED)  # Ctrl-C
        if isinstance(error, NuagesError):
            ended = msgspec.structs.replace(ended, outcome=Outcome.FAILED, failure=error.message)
        with contextlib.suppress(NuagesError):  # it is the first error that is told
            await record.write(app, ended, cluster)
        raise
    done = msgspec.structs.replace(told, ended=utc(), outcome=Outcome.DONE)
    await record.write(app, done, cluster)
    return done


def said(store: Store) -> str:
    """What becomes of a store, in a few words."""
    grows = f"its volume grows to {store.storage}" if store.storage else ""
    how = {
        Way.SAME: "as the spec says",
        Way.MAKE: "made by the next deploy",
        Way.RESTART: "its pod starts anew",
        Way.ROLL: "its instances start anew, one after another",
        Way.ANEW: "made anew, with a volume; what it holds goes",
        Way.REFUSED: "can't become what is wanted",
    }.get(store.way, "")
    return ", ".join(filter(None, [how, grows]))


async def _become(app: App, store: Store, cluster: Cluster, held: Lock) -> None:
    wanted = _workload(app, store)
    live = await cluster.get(wanted["kind"], app.namespace, store.name)
    wanted = await placed(wanted, live, cluster)
    await held.check()
    # The account that its pods run under may be new as well: they would not be made without.
    for item in accounts(app):
        if item["metadata"]["name"] == wanted["spec"]["template"]["spec"]["serviceAccountName"]:
            await cluster.apply(item)
    if live and store.way is Way.ANEW:
        await without(live, cluster, propagation="Foreground")
        await cluster.apply(wanted)
    elif live and store.storage:
        await _grow(app, wanted, store.storage, cluster)
        # The set would go on claiming the old size: it is made anew around its pod and its volume.
        await without(live, cluster, propagation="Orphan")
        await cluster.apply(wanted)
    else:
        await cluster.apply(fitting(wanted, live) if live else wanted)
    if live and live["kind"] == "StatefulSet" and store.way is Way.RESTART:
        await _give_way(live, cluster)
    for item in services(app):  # what stands beside it: its Service, its disruption budget
        if item["metadata"]["name"] == store.name and item["kind"] not in WORKLOADS:
            await cluster.apply(item)


async def _give_way(live: Object, cluster: Cluster) -> None:
    """Remove a pod that is not ready: a set that replaces in order waits for it, however broken, for ever.

    https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback
    """
    about = live["metadata"]
    pod = await cluster.get("Pod", about["namespace"], f"{about['name']}-0")
    if pod is None or "deletionTimestamp" in pod["metadata"]:
        return
    states = {one["type"]: one["status"] for one in pod.get("status", {}).get("conditions", [])}
    if states.get("Ready") != "True":
        await cluster.delete("Pod", about["namespace"], pod["metadata"]["name"], uid=pod["metadata"]["uid"])


def _workload(app: App, store: Store) -> Object:
    """The StatefulSet or Deployment of a store, as it is wanted."""
    return next(item for item in services(app) if item["kind"] in WORKLOADS and item["metadata"]["name"] == store.name)


async def _grow(app: App, wanted: Object, storage: str, cluster: Cluster) -> None:
    """Ask for more room; a volume that has as much stays."""
    name = claimed(wanted)
    claim = await cluster.get("PersistentVolumeClaim", app.namespace, name)
    if claim and bytes_of(claim["spec"]["resources"]["requests"]["storage"]) < bytes_of(size(wanted)):
        asked = {"spec": {"resources": {"requests": {"storage": storage}}}}
        await cluster.patch_merge("PersistentVolumeClaim", app.namespace, name, asked)


async def answers(app: App, wanted: Object, cluster: Cluster, say: Callable[[str], None]) -> None:
    """Wait until a store answers as it is wanted.

    Raises:
        CommandFailed: it can't, or takes longer than PATIENCE.
    """
    began = utc()
    async with Mirror(cluster, app.namespace, KINDS, instance(app)) as mirror:
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    seen = mirror.version
                    verdict = judge(wanted, mirror, utc())
                    if isinstance(verdict, Done):
                        return
                    if isinstance(verdict, Failed):
                        await _fail(wanted, verdict.reason, cluster, mirror)
                    say(verdict.reason)
                    if utc() - began > SLOW:
                        why = await diagnose(cluster, mirror, wanted)
                        if why and why.id in FOR_GOOD | HOPELESS:
                            await _fail(wanted, verdict.reason, cluster, mirror)
                    await mirror.changed(1.0, since=seen)
        except TimeoutError:
            await _fail(wanted, f"no answer in {PATIENCE:.0f} s", cluster, mirror)


async def _fail(wanted: Object, reason: str, cluster: Cluster, mirror: Mirror) -> None:
    """Raises:
    CommandFailed: always, with the cause where it is found.
    """
    found = await diagnose(cluster, mirror, wanted)
    name = wanted["metadata"]["name"]
    hint = "set nuages.yaml back and apply again: the volume is as it was"
    if found is None:
        raise CommandFailed(f"{name}: {reason}", hint=hint)
    raise CommandFailed(f"{name}: {found.summary}", detail=found.text, hint=found.hint or hint)
