"""Going back: an earlier release's image, configuration and secrets as they were, brought live as a new release.

find the release  ─▶  look at the database  ─▶  the verdict  ─▶  the phases backwards  ─▶  undo, where that was asked
"""

from __future__ import annotations

import contextlib

import msgspec

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.errors import Forbidden, Refused
from nuages.kube.client import Cluster
from nuages.progress import Sink, Told, step
from nuages.release import bridging, records
from nuages.release.back import looking
from nuages.release.back.verdict import Outcome as Answer
from nuages.release.back.verdict import Verdict
from nuages.release.begin import asked, begin, entered, number_after
from nuages.release.engine import drive
from nuages.release.environments import sleeping
from nuages.release.keeping import keys, rotation
from nuages.release.locks.holder import user
from nuages.release.locks.lock import ANY, Wish
from nuages.release.plan import objects
from nuages.release.record import Record, Stored
from nuages.release.secrets import decoded
from nuages.release.world import utc
from nuages.render.jobs import staged
from nuages.render.postgres import USER, USER_KEY


async def rollback(
    app: App,
    to: int | None,
    cluster: Cluster,
    sink: Sink,
    *,
    undo: bool = False,
    anyway: bool = False,
    wish: Wish = ANY,
) -> Record:
    """Bring an earlier release back; returns the new, closed record.

    Args:
        app: whose, and in which environment.
        to: the release to go back to; None for the last good one.
        cluster: where.
        sink: who is told of the phases.
        undo: undo the migrations that the verdict names, once the old pods are back.
        anyway: go back though it is unknown whether the old code can work with the database.
        wish: what is wanted of the lock.

    Raises:
        Refused: there is no such release, or the verdict says no.
        NotOurs: objects in the way belong to somebody else.
    """
    async with entered(app, cluster, sink, wish) as (world, history):
        await sleeping.rouse(app, cluster, sink)
        wanted = plan(history, to)
        if wanted.resource_version is None:
            await _readable(wanted.record, cluster)
            wanted = await keys.carried(app, wanted, cluster)
            await _let_in(app, wanted, cluster)
            verdict = await _judged(wanted, history, cluster, sink)
            permit(verdict, undo=undo, anyway=anyway)
            if undo and verdict.undo:
                wanted = with_undo(wanted, history, verdict)
            await objects.refuse(app, wanted.manifest, cluster, records.live(history))
        return await drive(await begin(asked(wanted, wish), history, world), world)


async def _readable(record: Record, cluster: Cluster) -> None:
    """Make sure that the copy of the secrets is there which the old pods read: without it none of them starts.

    Raises:
        Refused: somebody removed it.
    """
    with contextlib.suppress(Forbidden):  # who may not look is told by the pods
        if record.secrets and await cluster.get("Secret", record.namespace, record.secrets) is None:
            raise Refused(
                f"the secrets of release {record.restores} are gone: there is no Secret {record.secrets} any more",
                hint="deploy that version again: it takes the values of today",
            )


async def _let_in(app: App, wanted: Stored, cluster: Cluster) -> None:
    """Make sure that the old pods log in to PostgreSQL: those of an older nuages do as one role, whosever turn it is.

    Raises:
        Refused: its password is the other role's now.
    """
    store = app.postgres.name if app.postgres else ""
    kinds = ("Deployment", "StatefulSet", "CronJob")
    objects = [item for item in wanted.manifest.objects if item["kind"] in kinds and item["metadata"]["name"] != store]
    if not store or not any(rotation.blind(item, store) for item in objects):
        return
    with contextlib.suppress(Forbidden):
        user = decoded(await cluster.get("Secret", app.namespace, store)).get(USER_KEY, USER.encode()).decode()
        if user != USER:
            raise Refused(
                f"release {wanted.record.restores} logs in to PostgreSQL as {USER}, and the password is {user}'s now",
                hint="nuages secrets rotate postgres gives the other role its turn; then go back",
            )


async def verdict_on(app: App, to: int | None, cluster: Cluster, sink: Sink) -> Verdict:
    """What `rollback` would say first; nothing is touched, and no lock is taken.

    Raises:
        Refused: there is no such release.
    """
    history = await records.history(cluster, app.namespace, app.name, app.environment)
    return await _judged(plan(history, to), history, cluster, sink)


async def _judged(wanted: Stored, history: list[Stored], cluster: Cluster, sink: Sink) -> Verdict:
    with step(sink, "verdict") as shown:
        target = next(stored for stored in history if stored.record.number == wanted.record.restores)
        verdict = await looking.verdict(target, history, cluster, shown.say)
        shown.note = verdict.line if verdict.goes else f"going back to release {verdict.release}: {verdict.outcome}"
        sink(announced(verdict))
    return verdict


def announced(verdict: Verdict) -> Told:
    """The verdict for programs."""
    return Told("verdict", {"verdict": msgspec.to_builtins(verdict)})


def permit(verdict: Verdict, *, undo: bool, anyway: bool) -> None:
    """Go on, or refuse with the reasons and what else there is to do.

    Raises:
        Refused: the verdict does not allow it.
    """
    if verdict.goes:
        return
    known = anyway or verdict.outcome is Answer.UNDO
    if verdict.outcome is not Answer.REFUSED and known and (undo or not verdict.undo):
        return
    ways = []
    if verdict.undo:
        losses = ", ".join(loss for each in verdict.undo for loss in each.losses)
        gone = f"; what was written since into {losses} goes" if losses else ""
        ways.append(f"nuages rollback {verdict.release} --undo undoes the migrations{gone}")
    if verdict.outcome is Answer.UNKNOWN:
        ways.append("--anyway goes back all the same")
    raise Refused(verdict.short, findings=verdict.findings, hint="; ".join(ways) or "deploy a fix forward instead")


def with_undo(wanted: Stored, history: list[Stored], verdict: Verdict) -> Stored:
    """A rollback that also undoes migrations: by a Job in the newest image that has them, not in the one of before."""
    names = [name for each in verdict.undo for name in each.migrations]
    newest = looking.asked(wanted, history)[0]
    jobs: list[Object] = []
    for job in newest.manifest.expand:
        made = staged(job, "undo", f"-{wanted.record.number}")
        container = made["spec"]["template"]["spec"]["containers"][0]
        container["command"] += [word for name in dict.fromkeys(names) for word in ("--name", name)]
        jobs.append(made)
    return msgspec.structs.replace(wanted, manifest=msgspec.structs.replace(wanted.manifest, undo=jobs))


def plan(history: list[Stored], to: int | None) -> Stored:
    """The release that would bring an earlier one back, not written yet; an interrupted one of the same goes on.

    Whether its code can work with the database is another question.

    Raises:
        Refused: there is no such release.
    """
    if to is None and history and history[0].open and history[0].record.restores:
        return history[0]
    target = _target(history, to)
    latest = history[0]
    if latest.open and latest.record.restores == target.record.number:
        return latest
    files, images = bridging.back(target, history, number_after(history))
    record = Record(
        number=number_after(history),
        template=target.record.template,
        app=target.record.app,
        environment=target.record.environment,
        namespace=target.record.namespace,
        by=user(),
        restores=target.record.number,
        build=target.record.build,
        statics=images,
        secrets=target.record.secrets,
        started=utc(),
        database=latest.record.database,
        left=latest.record.left,
    )
    fronts = bridging.back_fronts(target, history)
    manifest = msgspec.structs.replace(target.manifest, static=files, frontends=fronts, undo=[])
    return Stored(record=record, manifest=manifest, schema=target.schema)


def _target(history: list[Stored], to: int | None) -> Stored:
    """The release meant; without a number the one that serves, where a newer one never did, else the one before.

    After a rollback, "before" is before what it brought back, not forth to what it left.
    """
    serving = records.live(history)
    went_live = [stored for stored in history if stored.record.went_live]
    if serving and history[0] is serving:
        went_live.remove(serving)
    if to:
        found = [stored for stored in went_live if stored.record.number == to]
    elif serving in went_live:
        found = [serving]
    else:
        before = _shown(serving, history) if serving else 0
        found = [stored for stored in went_live if stored.record.number < before]
    if found:
        return found[0]
    known = ", ".join(str(stored.record.number) for stored in reversed(went_live)) or "none"
    raise Refused(
        f"there is no release {to} to go back to" if to else "there is no earlier release to go back to",
        hint=f"went live before, and kept: {known}",
    )


def _shown(serving: Stored, history: list[Stored]) -> int:
    """The release whose code serves: what a rollback brought back, and what has had another key since."""
    lives = {one.record.number: one.record for one in history if one.record.went_live}
    number = serving.record.restores or serving.record.number
    while (record := lives.get(number)) and record.command.startswith(keys.COMMAND):
        older = [one for one in lives if one < number]
        if not older:
            break
        number = lives[max(older)].restores or max(older)
    return number
