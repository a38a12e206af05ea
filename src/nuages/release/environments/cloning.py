"""The data of another environment, brought to a new one before anything of the app runs there; or to one that serves,
beside its database.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

import msgspec

from nuages.app.build import Build
from nuages.app.components import App
from nuages.app.objects import Object
from nuages.errors import ClusterError, CommandFailed, Refused
from nuages.findings import Finding, Level, Place
from nuages.kube.client import Cluster
from nuages.kube.watch import Mirror
from nuages.release import ownership, records, secrets
from nuages.release.world import utc
from nuages.render.clone import CONTAINER, Clone, job, secret, walls
from nuages.render.labels import CLONE, instance, selector
from nuages.render.manifest import render
from nuages.render.postgres import PASSWORD_KEY, USER_KEY
from nuages.render.release import Release
from nuages.rollout.diagnosis import diagnose
from nuages.rollout.kinds import Done, Failed
from nuages.rollout.pods import moment
from nuages.rollout.watcher import KINDS, judge

Say = Callable[[str], None]

ABANDONED = timedelta(minutes=10)
"""After so long nobody is about to begin a Job that was made; it takes some seconds."""


class Origin(NamedTuple):
    """Whose data a new environment begins with, and the statements that anonymise it."""

    source: App
    sql: str = ""


async def possible(source: App, manage: tuple[str, ...], cluster: Cluster) -> Object | None:
    """Whether there is something to copy; answers the pod template that a manage.py command would run by.

    Raises:
        Refused: the source's database is not there, or somebody else's, or no release serves whose code could anonymise
            it.
    """
    if (database := source.postgres) is None:
        raise _refused(
            f"the database of {source.environment} is not run by nuages", source, "whoever runs it copies it"
        )
    live = await cluster.get("StatefulSet", source.namespace, database.name)
    if live is None or not live.get("status", {}).get("readyReplicas"):
        state = "sleeps, or is not ready" if live else "is not in the cluster"
        raise _refused(f"the database of {source.environment} {state}", source, "nuages status says more")
    held = secrets.decoded(await cluster.get("Secret", source.namespace, live["metadata"]["name"]))
    if not {USER_KEY, PASSWORD_KEY} <= held.keys():
        message = f"Secret {live['metadata']['name']} has no {USER_KEY}"
        raise _refused(message, source, f"nuages deploy -e {source.environment} --no-build adds it")
    if not manage:
        return None
    serving = records.live(await records.history(cluster, source.namespace, source.name, source.environment))
    webs = [one for one in serving.manifest.web if one["kind"] == "Deployment"] if serving else []
    if not webs:
        message = f"no release of {source.environment} is live, whose manage.py could anonymise the copy"
        raise _refused(message, source, f"nuages deploy -e {source.environment}")
    template: Object = webs[0]["spec"]["template"]
    return template


async def stores(app: App, build: Build, cluster: Cluster, say: Say) -> None:
    """Make what the database of a new environment stands on, and itself, as its first release would; wait for it."""
    manifest = render(app, Release(number=1, template=1, build=build))
    await ownership.objects(app, msgspec.structs.replace(manifest, web=[], workers=[], beat=[], exposure=[]), cluster)
    await secrets.ensure(app, cluster)
    kinds = {"ServiceAccount", "NetworkPolicy"}
    for item in [*(one for one in manifest.foundation if one["kind"] in kinds), *manifest.services]:
        if item["kind"] != "StatefulSet" or not await cluster.get(
            item["kind"], app.namespace, item["metadata"]["name"]
        ):
            await cluster.apply(item)
    database = app.postgres.name if app.postgres else ""
    sets = [one for one in manifest.services if one["metadata"]["name"] == database and one["kind"] == "StatefulSet"]
    for wanted in sets:
        await _until(wanted, app.namespace, instance(app), cluster, say)


async def clone(origin: Origin, target: App, cluster: Cluster, say: Say) -> None:
    """Bring the data, and leave nothing open behind.

    Raises:
        CommandFailed: it could not be copied, or not be anonymised; the new database is empty as before.
    """
    await brought(await planned(origin, target, cluster), origin.sql, cluster, say)


async def planned(origin: Origin, target: App, cluster: Cluster) -> Clone:
    """What is to be copied where, and what is done to it on its way.

    Raises:
        Refused: see `possible`.
    """
    manage = tuple(source_of(target).manage or ())
    template = await possible(origin.source, manage, cluster)
    return Clone(source=origin.source, target=target, sql=bool(origin.sql), manage=manage, template=template)


async def brought(wanted: Clone, sql: str, cluster: Cluster, say: Say) -> list[str]:
    """Do it; answers what the Job said where that is asked for: of a database beside the one that serves.

    Raises:
        CommandFailed: as `clone`.
    """
    source, target = wanted.source, wanted.target
    await swept(source, cluster)
    await cluster.delete("Job", source.namespace, wanted.name)
    await _gone(source, wanted.name, cluster)
    owner = await cluster.apply(job(wanted))
    policies = walls(wanted, owner)
    try:
        login = await cluster.get("Secret", target.namespace, target.postgres.name if target.postgres else "")
        values = {key: (login or {})["data"][key] for key in (USER_KEY, PASSWORD_KEY)}
        await cluster.apply(secret(wanted, owner, values, base64.b64encode(sql.encode()).decode()))
        for policy in policies:
            await cluster.apply(policy)
        await cluster.patch_merge("Job", source.namespace, wanted.name, {"spec": {"suspend": False}})
        await _until(job(wanted), source.namespace, selector(source, CLONE, target.environment), cluster, say)
        return await _said(wanted, owner, cluster) if wanted.into else []
    finally:
        await asyncio.shield(_close(wanted, policies[-1], cluster))


async def _said(wanted: Clone, owner: Object, cluster: Cluster) -> list[str]:
    """The lines of the Job's own pod: one of a Job before, of the same name, may still be on its way out."""
    source = wanted.source
    pods = (
        await cluster.list("Pod", source.namespace, labels=selector(source, CLONE, wanted.target.environment))
    ).items
    uid = owner["metadata"]["uid"]
    ours = [pod for pod in pods if any(one["uid"] == uid for one in pod["metadata"].get("ownerReferences", ()))]
    return (await cluster.logs(source.namespace, ours[-1]["metadata"]["name"], CONTAINER)).splitlines() if ours else []


class Anonymising(msgspec.Struct, frozen=True):
    """What is done to the copy; nothing of it, where the data goes as it is."""

    environment: str = ""
    sql: str | None = None
    manage: list[str] | None = None


def source_of(app: App) -> Anonymising:
    """Where an environment's data comes from, and what is done to it before."""
    default = app.databases.default
    if default is None or default.clone_from is None:
        return Anonymising()
    done = default.anonymise
    return Anonymising(default.clone_from, done.sql if done else None, done.manage if done else None)


async def _close(wanted: Clone, policy: Object, cluster: Cluster) -> None:
    """The Job's Secret and walls go with it; the wall in the new namespace has no owner there."""
    with contextlib.suppress(ClusterError):
        await cluster.delete("NetworkPolicy", wanted.target.namespace, policy["metadata"]["name"])
    with contextlib.suppress(ClusterError):
        await cluster.delete("Job", wanted.source.namespace, wanted.name)


async def swept(source: App, cluster: Cluster) -> None:
    """Remove what a clone left that was killed: a Job that was never begun, for whose end nothing waits. Its Secret and
    its walls go with it; one that began ends by its own deadline.
    """
    for left in (await cluster.list("Job", source.namespace, labels=selector(source, CLONE))).items:
        about = left["metadata"]
        if left["spec"].get("suspend") and utc() - moment(about["creationTimestamp"]) > ABANDONED:
            await cluster.delete("Job", about["namespace"], about["name"], uid=about["uid"])


async def _gone(source: App, name: str, cluster: Cluster) -> None:
    async with Mirror(cluster, source.namespace, ("Job",), selector(source, CLONE)) as mirror:
        while mirror.get("Job", name):
            await mirror.changed()


async def _until(wanted: Object, namespace: str, labels: dict[str, str], cluster: Cluster, say: Say) -> None:
    """Wait until an object holds.

    Raises:
        CommandFailed: it never will.
    """
    name = wanted["metadata"]["name"]
    async with Mirror(cluster, namespace, KINDS, labels) as mirror:
        while True:
            seen = mirror.version
            verdict = judge(wanted, mirror, utc())
            if isinstance(verdict, Done):
                return
            if isinstance(verdict, Failed):
                why = await diagnose(cluster, mirror, wanted)
                said, detail = (why.summary, why.text) if why else (verdict.reason, "")
                raise CommandFailed(f"{name}: {said}", detail=detail, hint=why.hint if why else "")
            say(f"{name} {verdict.reason}")
            await mirror.changed(5.0, since=seen)


def _refused(message: str, source: App, hint: str) -> Refused:
    finding = Finding("release.E406", Level.ERROR, message, Place(path="databases.default.cloneFrom"), hint)
    return Refused(f"{source.instance} can't be copied; nothing was touched", findings=[finding])
