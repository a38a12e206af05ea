"""The database, before the first new pod."""

from __future__ import annotations

import msgspec

from nuages.release import records
from nuages.release.phases.migrating import ended, migrating
from nuages.release.record import DatabaseState, Left, Record, Stored
from nuages.release.steps import Advanced, Finished, Step
from nuages.release.world import World
from nuages.render.labels import COMPONENT, POSTGRES, VOLUME


async def expand(release: Stored, world: World) -> Step:
    """Bring the database to where this image's code expects it, before the first new pod.

    Going back, the database stays as it is: whether the older code can live with it was judged before.
    """
    record = release.record
    if record.restores is not None:
        return Finished("the database stays as it is")
    target = DatabaseState(volumes=_places(release, world), migrations=record.build.migrations)
    if record.phase("expand") is None and record.database == target and not _left(record):
        return await _nothing(release, world)
    if record.phase("expand") is None and record.database is not None:
        # From here on it is not known how far the database is, until the Job says that it is done.
        return Advanced(await records.save(release, msgspec.structs.replace(record, database=None), world))
    jobs = release.manifest.expand
    step = await migrating("expand", jobs, release, world)
    if isinstance(step, Finished) and record.database is None:
        told = await ended(jobs, world)
        changed = msgspec.structs.replace(release, schema=told.schema or release.schema)
        done = msgspec.structs.replace(record, database=target, left=told.left)
        return Advanced(await records.save(changed, done, world))
    if isinstance(step, Finished) and record.left and record.left.statements:
        return Finished(_waiting(record.left))
    return step


def _waiting(left: Left) -> str:
    """What is left, and for when: `applied; 2 statements wait for the next release, 1 backfill for settle`."""
    later = left.statements - left.backfills
    parts = []
    if later:
        parts.append("1 statement waits" if later == 1 else f"{later} statements wait")
    if left.backfills:
        parts.append("1 backfill comes later" if left.backfills == 1 else f"{left.backfills} backfills come later")
    return f"applied; {', '.join(parts)}"


def _left(record: Record) -> bool:
    """Whether an earlier release left something for this one."""
    return bool(record.left and record.left.statements)


async def _nothing(release: Stored, world: World) -> Step:
    """No Job: what the code needs of the database is what the release before needed, with the same migrations."""
    if release.schema is None and world.serving is not None:
        serving = msgspec.structs.replace(release.record, number=world.serving)
        before = await records.read(serving, world.cluster)
        if before is not None and before.schema is not None:
            changed = msgspec.structs.replace(release, schema=before.schema)
            return Advanced(await records.save(changed, release.record, world))
    return Finished("nothing to migrate")


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
