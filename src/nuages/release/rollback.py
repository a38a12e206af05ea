"""Going back: an earlier release's image, configuration and secrets as they were, brought live as a new release."""

from __future__ import annotations

import msgspec

from nuages.app.components import App
from nuages.errors import Refused
from nuages.kube.client import Cluster
from nuages.progress import Sink
from nuages.release import bridging, ownership, records
from nuages.release.begin import begin, entered, number_after
from nuages.release.engine import drive
from nuages.release.holder import user
from nuages.release.record import Outcome, Record, Stored
from nuages.release.world import utc


async def rollback(app: App, to: int | None, cluster: Cluster, sink: Sink) -> Record:
    """Bring an earlier release back; returns the new, closed record.

    Args:
        app: whose, and in which environment.
        to: the release to go back to; None for the last good one.
        cluster: where.
        sink: who is told of the phases.

    Raises:
        Refused: there is no such release, or the database has moved on from what its code expects.
        NotOurs: objects in the way belong to somebody else.
    """
    async with entered(app, cluster, sink) as (world, history):
        wanted = plan(history, to)
        await ownership.objects(app, wanted.manifest, cluster)
        return await drive(await begin(wanted, history, world), world)


def plan(history: list[Stored], to: int | None) -> Stored:
    """The release that would bring an earlier one back, not written yet; an interrupted one of the same goes on.

    Raises:
        Refused: as `rollback`.
    """
    if to is None and history and history[0].open and history[0].record.restores:
        return history[0]
    target = _target(history, to)
    latest = history[0]
    _check(target.record, latest.record)
    if latest.open and latest.record.restores == target.record.number:
        return latest
    files, images = bridging.back(target, history)
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
    return Stored(record=record, manifest=msgspec.structs.replace(target.manifest, static=files))


def _target(history: list[Stored], to: int | None) -> Stored:
    """The release meant; without a number the one that serves, where a newer one never did, else the one before.

    After a rollback, "before" is before what it brought back, not forth to what it left.
    """
    serving = records.live(history)
    went_live = [stored for stored in history if stored.record.outcome is Outcome.LIVE]
    if serving and history[0] is serving:
        went_live.remove(serving)
    if to:
        found = [stored for stored in went_live if stored.record.number == to]
    elif serving in went_live:
        found = [serving]
    else:
        before = (serving.record.restores or serving.record.number) if serving else 0
        found = [stored for stored in went_live if stored.record.number < before]
    if found:
        return found[0]
    known = ", ".join(str(stored.record.number) for stored in reversed(went_live)) or "none"
    raise Refused(
        f"there is no release {to} to go back to" if to else "there is no earlier release to go back to",
        hint=f"went live before, and kept: {known}",
    )


def _check(target: Record, latest: Record) -> None:
    """Refuse where the database is not known to be as the target's code expects it.

    Equal leaves are the one case that is safe without looking at the schema itself.
    """
    if latest.database is None:
        raise Refused(
            "a migration is half done, so it is not known whether earlier code can work with the database",
            hint="deploy again, so that the migration ends; then go back",
        )
    ahead = sorted(
        label
        for label in latest.database.migrations.keys() | target.build.migrations.keys()
        if latest.database.migrations.get(label) != target.build.migrations.get(label)
    )
    if ahead:
        known = msgspec.json.encode({label: latest.database.migrations.get(label) for label in ahead}).decode()
        raise Refused(
            f"the database has moved on since release {target.number}: {known}",
            hint=f"its code expects {', '.join(ahead)} as it was then; deploy a fix forward instead",
        )
