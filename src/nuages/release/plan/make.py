"""A plan is made: look at what is there, ask what would become of it, ask the database. Nothing is changed by it."""

from __future__ import annotations

import contextlib
from typing import NamedTuple

import msgspec

from nuages.app.build import Build
from nuages.app.components import App
from nuages.checks.app import check
from nuages.errors import Forbidden
from nuages.findings import Finding, Level, Place
from nuages.kube.client import Cluster
from nuages.progress import Sink, step
from nuages.release import asking, claims, deploy, engine, records, redact
from nuages.release.leftover import removable
from nuages.release.manner import PLAIN, Manner, fits_beside
from nuages.release.plan import database, objects, rolls, values
from nuages.release.plan.database import Told
from nuages.release.plan.objects import Found
from nuages.release.plan.shape import Action, Change, Plan, Said
from nuages.release.record import Stored
from nuages.release.tasks import Compared, compare
from nuages.release.world import utc
from nuages.render.jobs import SERVERS


class Made(NamedTuple):
    """A plan, and what it was made from: what `--save` keeps so that a deploy can tell whether it still holds."""

    plan: Plan
    wanted: Stored
    found: list[Found]
    told: Told
    manner: Manner


async def make(app: App, build: Build, cluster: Cluster, sink: Sink, *, manner: Manner = PLAIN) -> Made:
    """What a deploy of this app in this image, in this manner, would do now.

    Raises:
        ClusterError: the cluster gives no answer at all; what single rights are missing for is said in the plan.
    """
    with step(sink, "compare") as shown:
        there = await _there(app, cluster)
        history = await records.history(cluster, app.namespace, app.name, app.environment) if there else []
        serving = records.live(history)
        secret = await values.foreseen(app, serving, cluster, there=there)
        hide = redact.known(list(secret.hidden))
        wanted = deploy.plan(app, build, secret.copy, history, manner)
        found = await objects.look(wanted.manifest, app.instance, cluster, hide, namespace=there, serving=serving)
        gone = await _gone(wanted, history, cluster)
        changes = _changes(found, gone, serving, wanted, hide)
        taken = await claims.look(app, cluster, build)
        shown.note = _counted(changes)
    told = await _asked(app, wanted, secret, cluster, sink, hide=hide) if there else database.NONE
    plan = Plan(
        made=utc(),
        app=app.name,
        environment=app.environment,
        namespace=app.namespace,
        cluster=cluster.context,
        release=wanted.record.number,
        serving=serving.record.number if serving else None,
        manner=manner.kind or ("maintenance" if manner.maintenance else ""),
        image=build.reference,
        serving_image=serving.record.build.reference if serving else None,
        changes=any(change.action is not Action.SAME for change in changes if change.action is not Action.KEEP)
        or told.migrations.due,
        objects=tuple(change for change in changes if change.action is not Action.SAME),
        drift=tuple(one for each in found for one in each.drift),
        secrets=secret.changed,
        migrations=told.migrations,
        connections=rolls.connections(app, server=build.engines.get("default", "") in SERVERS),
        rolls=tuple(rolls.rolls(_workloads(found, wanted))),
        took=tuple(rolls.took(history, engine.order(wanted))),
        tasks=_tasks(serving, build),
        back=database.back(serving, told, hide),
        findings=tuple(
            # Once each: what the image knows of itself, the project says again.
            dict.fromkeys(
                _said(one, hide)
                for one in [
                    *_under_way(history),
                    *(one for one in check(app, build) if one.level is not Level.INFO),
                    *fits_beside(app, build, serving, manner),
                    *secret.findings,
                    *taken,
                    *(one for each in found for one in each.findings),
                    *told.findings,
                    *_lost(serving, build),
                ]
            )
        ),
    )
    return Made(plan, wanted, found, told, manner)


async def _there(app: App, cluster: Cluster) -> bool:
    """Whether the namespace is there; taken for so where nobody may look."""
    try:
        return await cluster.get("Namespace", None, app.namespace) is not None
    except Forbidden:
        return True


async def _gone(wanted: Stored, history: list[Stored], cluster: Cluster) -> list[Change]:
    """What the release would remove; what nobody may look at is told where it is wanted."""
    with contextlib.suppress(Forbidden):
        return objects.removed(await removable(wanted, history, cluster))
    return []


async def _asked(
    app: App, wanted: Stored, secret: values.Foreseen, cluster: Cluster, sink: Sink, *, hide: objects.Hide
) -> Told:
    """Ask the database what is pending; where there is none yet, nothing is asked."""
    if not wanted.manifest.expand:
        return database.NONE
    job = asking.standalone(wanted.manifest.expand[0], values.plain(wanted.manifest.foundation), secret.keys)
    with step(sink, "database") as shown:
        told = await database.ask(app, job, cluster, shown.say, hide)
        shown.note = told.note
    return told


def _changes(
    found: list[Found], gone: list[Change], serving: Stored | None, wanted: Stored, hide: objects.Hide
) -> list[Change]:
    before = serving.manifest.objects if serving else []
    here = {(item["kind"], item["metadata"]["name"]) for item in before}
    changes = [
        msgspec.structs.replace(one.change, note="somebody removed it")
        if one.change.action is Action.CREATE and (one.change.kind, one.change.name) in here
        else one.change
        for one in found
    ]
    return objects.paired([*changes, *gone], before, wanted.manifest.objects, hide)


def _workloads(found: list[Found], wanted: Stored) -> list[tuple[Change, dict[str, object]]]:
    rendered = {(item["kind"], item["metadata"]["name"]): item for item in wanted.manifest.objects}
    stores = {(item["kind"], item["metadata"]["name"]) for item in wanted.manifest.services}
    pairs = [(one.change, (one.change.kind, one.change.name)) for one in found]
    return [(change, rendered[key]) for change, key in pairs if key not in stores]


def _tasks(serving: Stored | None, build: Build) -> Compared:
    return compare(serving.record.build.tasks, build.tasks) if serving else Compared()


def _under_way(history: list[Stored]) -> list[Finding]:
    if not history or not history[0].open:
        return []
    record = history[0].record
    said = f"release {record.number} of {record.by} is not over: what is compared here may change under it"
    return [Finding("release.W365", Level.WARNING, said, Place(path=f"release {record.number}"))]


def _lost(serving: Stored | None, build: Build) -> list[Finding]:
    """Tasks whose waiting messages no new worker takes."""
    lost = _tasks(serving, build)
    told = [
        *((one, "is gone") for one in lost.removed),
        *((one.before, f"is called {one.after} now") for one in lost.renamed),
        *((one.name, f"is called in another way: {one.why}") for one in lost.changed),
    ]
    hint = "keep the old one, which calls the new one, for one release; a task that still waits would be lost"
    return [
        Finding("release.W366", Level.WARNING, f"the task {name} {what}", Place(path="tasks"), hint)
        for name, what in sorted(told)
    ]


def _counted(changes: list[Change]) -> str:
    count = sum(change.action not in (Action.SAME, Action.KEEP) for change in changes)
    return f"{count or 'no'} {'object changes' if count == 1 else 'objects change'}"


def _said(finding: Finding, hide: objects.Hide) -> Said:
    return Said(
        id=finding.id,
        level=finding.level,
        message=redact.text(hide(finding.message)),
        place=str(finding.place),
        hint=redact.text(hide(finding.hint)),
    )
