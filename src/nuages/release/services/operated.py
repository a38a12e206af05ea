"""A PostgreSQL that CloudNativePG's operator runs: what would become of it, and how it becomes that.

Its Cluster is changed, and the operator does the rest in its own order: replicas first, then the one that is written
to gives way. Nothing here touches what the operator made.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.errors import CommandFailed
from nuages.findings import Finding, Level, Place
from nuages.kube.client import MANAGER, Cluster
from nuages.kube.failures import FieldConflict
from nuages.release import ownership, redact
from nuages.release.plan.fields import changed, shown
from nuages.release.services.change import Store, Way
from nuages.release.world import utc
from nuages.render.cloudnativepg import CLUSTER
from nuages.render.labels import POSTGRES
from nuages.render.manifest import services
from nuages.rollout import cloudnativepg
from nuages.rollout.cloudnativepg import cure
from nuages.rollout.kinds import Done, Failed, Waiting
from nuages.spec.units import bytes_of

AT = "services.postgres.cloudnativepg"
PATIENCE = 1800.0
"""Seconds for all of its instances, one after another."""
NOTICED = timedelta(seconds=10)
"""After so long a status that did not change is about the Cluster as it is now: it does not say which one it means."""
_UPGRADES = "https://cloudnative-pg.io/docs/current/postgres_upgrades"
_AGAIN = 1.0


def wanted(app: App) -> Object | None:
    """Its Cluster as it is rendered; None where no operator runs PostgreSQL."""
    return next((item for item in services(app) if item["kind"] == CLUSTER), None)


async def look(app: App, cluster: Cluster) -> list[Store]:
    """What would become of it; nothing where there is none."""
    if (made := wanted(app)) is None:
        return []
    name = made["metadata"]["name"]
    live = await cluster.get(CLUSTER, app.namespace, name)
    if live is None:
        return [Store(service=POSTGRES, name=name, way=Way.MAKE)]
    findings = [foreign] if (foreign := ownership.verdict(app.instance, live)) else list(stuck(made, live))
    if findings:
        return [Store(service=POSTGRES, name=name, way=Way.REFUSED, findings=tuple(findings))]
    try:
        after = await cluster.apply(fitting(made, live), dry_run=True)
    except FieldConflict as conflict:
        return [Store(service=POSTGRES, name=name, way=Way.REFUSED, findings=tuple(_taken(conflict)))]
    fields = tuple(
        shown(CLUSTER, *one, redact.text)
        for one in changed(live, after, fitting(made, live), MANAGER)
        if one[0][:1] == ("spec",)
    )
    has, asked = _size(live), _size(made)
    grows = asked if bytes_of(asked) > bytes_of(has) else ""
    rolls = any(field.path.split(".")[1] != "storage" for field in fields)
    how = Way.ROLL if rolls else Way.GROW if fields else Way.SAME
    return [Store(service=POSTGRES, name=name, way=how, fields=fields, storage=grows)]


def stuck(made: Object, live: Object) -> Iterator[Finding]:
    """Why it can't become what is wanted. Pure."""
    has, asked = _size(live), _size(made)
    if bytes_of(asked) < bytes_of(has):
        said = f"volumes of {has} can't shrink to {asked}"
        yield Finding("release.E382", Level.ERROR, said, Place(path=f"{AT}.storage"), f"storage: {has}")
    before, after = (one["spec"].get("imageName", "") for one in (live, made))
    if _major(before) and _major(before) != _major(after):
        said = f"{_major(before)} does not become {_major(after)} by a restart"
        hint = f"as its operator does it, {_UPGRADES}; then say here which one it is"
        yield Finding("release.E384", Level.ERROR, said, Place(path=f"{AT}.version"), hint)


def fitting(made: Object, live: Object) -> Object:
    """The Cluster as it can be applied over the one that is there: how it began is over, whatever was said then."""
    spec = {**made["spec"], "bootstrap": live["spec"].get("bootstrap", made["spec"]["bootstrap"])}
    # A minor version that somebody has named, or the operator's own image of that major version, stays.
    if _major(live["spec"].get("imageName", "")) == _major(spec["imageName"]):
        spec["imageName"] = live["spec"]["imageName"]
    return {**made, "spec": spec}


def _size(item: Object) -> str:
    return str(item["spec"].get("storage", {}).get("size", "0"))


def _major(image: str) -> str:
    """The major version in an image's name: `17` of `…/postgresql:17.5-bookworm`."""
    tag = image.rpartition("/")[2].partition("@")[0].partition(":")[2]
    return tag.partition(".")[0].partition("-")[0]


def seen(live: Object) -> dict[str, str | bool]:
    """What there is to say of it in a list. Pure."""
    ready = isinstance(cloudnativepg.answers(live), Done)
    return {"image": live["spec"].get("imageName", ""), "ready": ready, "storage": _size(live)}


async def become(app: App, cluster: Cluster) -> Object:
    """Ask the operator for it; what stands beside it, its backups at their time, follows."""
    made = wanted(app)
    assert made is not None  # noqa: S101 - it was looked at
    live = await cluster.get(CLUSTER, app.namespace, made["metadata"]["name"])
    for item in services(app):
        if item["metadata"]["name"] == made["metadata"]["name"] and item["kind"] != CLUSTER:
            await cluster.apply(item)
    return await cluster.apply(fitting(made, live) if live else made)


async def answered(applied: Object, cluster: Cluster, say: Callable[[str], None]) -> None:
    """Wait until all of its instances are as they are wanted.

    Raises:
        CommandFailed: the operator can't, or takes longer than PATIENCE.
    """
    began, about = utc(), applied["metadata"]
    hint = cure(about["namespace"], about["name"])
    reason = ""
    try:
        async with asyncio.timeout(PATIENCE):
            while True:
                live = await cluster.get(CLUSTER, about["namespace"], about["name"])
                verdict = cloudnativepg.settled(live) if live else Waiting("gone")
                if isinstance(verdict, Failed):
                    raise CommandFailed(f"{about['name']}: {verdict.reason}", hint=hint)
                heard = live is not None and live.get("status") != applied.get("status")
                if isinstance(verdict, Done) and (heard or utc() - began > NOTICED):
                    return
                reason = verdict.reason if isinstance(verdict, Waiting) else "waits for its operator"
                say(reason)
                await asyncio.sleep(_AGAIN)
    except TimeoutError:
        raise CommandFailed(f"{about['name']}: no answer in {PATIENCE:.0f} s; {reason}", hint=hint) from None


def _taken(conflict: FieldConflict) -> Iterator[Finding]:
    hint = "say in nuages.yaml what it has now, or set it back by hand to what the spec says; then nobody disagrees"
    for field in conflict.fields:
        said = f"{field.path.lstrip('.')} was set by {field.manager}, otherwise than the spec has it"
        yield Finding("release.E371", Level.ERROR, said, Place(path=AT), hint)
