"""The database, before the first new pod."""

from __future__ import annotations

import msgspec

from nuages.release import records
from nuages.release.phases.bring import bring
from nuages.release.record import DatabaseState, Stored
from nuages.release.steps import Advanced, Finished, Step
from nuages.release.world import World
from nuages.render.labels import COMPONENT, POSTGRES, VOLUME


async def expand(release: Stored, world: World) -> Step:
    """Bring the database to where this image's code expects it, before the first new pod."""
    record = release.record
    target = DatabaseState(volumes=_places(release, world), migrations=record.build.migrations)
    if record.phase("expand") is None and record.database == target:
        return Finished("nothing to migrate")
    if record.phase("expand") is None and record.database is not None:
        # From here on it is not known how far the database is, until the Job says that it is done.
        return Advanced(await records.save(release, msgspec.structs.replace(record, database=None), world))
    step = await bring("expand", release.manifest.expand, release.manifest.expand, release, world)
    if isinstance(step, Finished) and record.database is None:
        return Advanced(await records.save(release, msgspec.structs.replace(record, database=target), world))
    return step


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
