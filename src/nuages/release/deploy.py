"""A deploy: what is wanted, as a new release or as the going on of an interrupted one, driven to its end."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec

from nuages.app.build import Build
from nuages.app.components import App
from nuages.app.objects import Object
from nuages.checks.app import check
from nuages.errors import Refused, ReleaseFailed
from nuages.findings import errors
from nuages.kube.client import Cluster
from nuages.progress import Sink
from nuages.release import bridging, claims, ownership, records, secrets
from nuages.release.back.returning import bring_back
from nuages.release.begin import Whose, asked, begin, entered, number_after
from nuages.release.engine import drive
from nuages.release.environments import marks, sleeping
from nuages.release.fronts import configured
from nuages.release.locks.holder import user
from nuages.release.locks.lock import ANY, Wish
from nuages.release.manner import PLAIN, Manner, fits_beside
from nuages.release.plan import objects
from nuages.release.record import Record, Stored
from nuages.release.trials import trial
from nuages.release.world import World, utc
from nuages.render.canary import way
from nuages.render.manifest import render
from nuages.render.release import Manifest, Release

Holds = Callable[[list[Stored]], Awaitable[None]]
"""Says no where what was planned does not hold any more; told the history, with the lock held."""


async def deploy(
    app: App,
    build: Build,
    cluster: Cluster,
    sink: Sink,
    *,
    wish: Wish = ANY,
    manner: Manner = PLAIN,
    holds: Holds | None = None,
) -> Record:
    """Bring an app live in the image that was built; returns the closed record, or the open one of one that waits.

    Raises:
        Refused: the app and the image don't fit, objects belong to others, or secrets have no value.
        Locked: another release is under way.
        ReleaseFailed: with the diagnosis; the old version serves.
        RolledBack: the same, and the last good release was brought back.
    """
    async with prepared(app, build, cluster, sink, wish=wish, manner=manner, holds=holds) as (begun, world):
        return await see_through(begun, app, world, returns=manner.returns)


@contextlib.asynccontextmanager
async def prepared(
    app: App,
    build: Build,
    cluster: Cluster,
    sink: Sink,
    *,
    wish: Wish = ANY,
    manner: Manner = PLAIN,
    holds: Holds | None = None,
) -> AsyncIterator[tuple[Stored, World]]:
    """All that comes before the first phase: what says no is asked, the lock is held, the record is written.

    Raises:
        Refused, Locked: as `deploy`.
    """
    if unfit := errors(check(app, build)):
        raise Refused(f"{app.name} and its image don't fit", findings=unfit)
    if app.template:
        await marks.there(app, cluster)
    await secrets.check(app, cluster)
    await configured(app, cluster)
    await claims.check(app, cluster, build)
    async with entered(app, cluster, sink, wish) as (world, history):
        await sleeping.rouse(app, cluster, sink)
        if holds:
            await holds(history)
        if refused := fits_beside(app, build, records.live(history), manner):
            raise Refused(f"a {manner.kind} of {app.name} can't be had", findings=refused)
        if await secrets.lacking(app, cluster):
            # Before anything is written: whose objects are in the way does not depend on the secrets.
            await ownership.objects(app, plan(app, build, None, history, manner).manifest, cluster)
            await secrets.ensure(app, cluster)
        copied = await secrets.copy(app, cluster)
        wanted = asked(plan(app, build, copied, history, manner), wish)
        await objects.refuse(app, wanted.manifest, cluster, records.live(history))
        yield await begin(wanted, history, world), world


async def see_through(begun: Stored, whose: Whose, world: World, *, returns: bool) -> Record:
    """Drive a release to its end; where it fails and `returns`, bring the last good one back.

    Raises:
        ReleaseFailed, RolledBack: as `deploy`.
    """
    try:
        return await drive(begun, world)
    except ReleaseFailed as failure:
        if returns:
            await bring_back(failure, begun.record.number, whose, world)
        raise


def plan(app: App, build: Build, copied: str | None, history: list[Stored], manner: Manner = PLAIN) -> Stored:
    """The release that comes next: the open one where it is of the very same, otherwise a new one, not written yet."""
    if history and history[0].open:
        again = _release(history[0].record.number, app, build, copied, history, manner=manner)
        if again.manifest == history[0].manifest and build == history[0].record.build:
            return history[0]
    return _release(number_after(history), app, build, copied, history, manner=manner)


def _release(
    number: int, app: App, build: Build, copied: str | None, history: list[Stored], *, manner: Manner
) -> Stored:
    """A release of that number; pods show the one in which their template last changed: nothing rolls for a number."""
    before = [stored for stored in history if stored.record.number < number]
    serving = records.live(before)
    wanted = Release(
        number=number,
        template=number,
        build=build,
        running=serving.record.number if serving and not manner.maintenance else None,
        maintenance=manner.maintenance and serving is not None,
        canary=manner.kind if serving else "",
        statics=bridging.statics(app, build, before),
        fronts=bridging.fronts(app, build, before),
        secrets=copied,
    )
    manifest = render(app, wanted)
    if serving:
        same = msgspec.structs.replace(wanted, template=serving.record.template)
        unchanged = render(app, same)
        if _templates(unchanged) == _templates(serving.manifest):
            wanted, manifest = same, unchanged
    record = Record(
        number=number,
        template=wanted.template,
        app=app.name,
        environment=app.environment,
        namespace=app.namespace,
        by=user(),
        build=build,
        statics=wanted.statics,
        secrets=copied,
        started=utc(),
        database=history[0].record.database if history else None,
        left=history[0].record.left if history else None,
        maintenance=wanted.maintenance,
        trial=trial.begun(wanted.canary, way(app, wanted), manner.percent, app.canary) if wanted.canary else None,
    )
    return Stored(record=record, manifest=manifest)


def _templates(manifest: Manifest) -> list[Object]:
    """What pods are made from; of all the rest a change rolls none."""
    made = [*manifest.workers, *manifest.web, *manifest.beat]
    return [item["spec"]["template"] for item in made if "template" in item.get("spec", {})]


async def serving_build(app: App, cluster: Cluster) -> Build:
    """The image that serves now.

    Raises:
        Refused: none does.
    """
    serving = records.live(await records.history(cluster, app.namespace, app.name, app.environment))
    if serving is None:
        raise Refused(f"no release of {app.name} is live in {app.namespace}", hint="deploy once with a build")
    return serving.record.build
