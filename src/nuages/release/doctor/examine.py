"""The examination from its first line to its last: what comes later needs what came before."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from nuages.app.components import App
from nuages.errors import ClusterError, NuagesError
from nuages.kube.client import Cluster
from nuages.release import records
from nuages.release.doctor import fittings, inside, machine, reach, registry, rights
from nuages.release.doctor.findings import Look, of_error, unknown
from nuages.release.doctor.machine import Machine


async def examine(
    app: App | None, here: Machine, connect: Callable[[], Cluster], namespace: str | None, *, pod: bool
) -> AsyncIterator[Look]:
    """One look after the other, as each is known; `pod` lets one be started in the cluster, to look from inside."""
    for found in machine.look(here, builds=app is not None):
        yield found
    try:
        cluster = connect()
    except NuagesError as error:
        yield of_error(reach.GROUP, "answers", error)
        if app:
            for found in await registry.look(app, None, own=False):
                yield found
        return
    async with cluster:
        group, own = reach.GROUP, cluster.context in here.clusters
        try:
            async for found in reach.look(cluster, here.tested):
                yield found
            where = namespace or (app.namespace if app else cluster.namespace or "default")
            group = rights.GROUP
            for found in await rights.look(rights.needed(app), where, await reach.who(cluster), cluster):
                yield found
            group = fittings.GROUP
            async for found in fittings.look(app, where, cluster, own=own):
                yield found
        except ClusterError as error:
            yield of_error(group, "answers", error)
            return
        if app is None:
            return
        for found in await registry.look(app, cluster, own=own):
            yield found
        for found in await _inside(app, cluster) if pod else []:
            yield found


async def _inside(app: App, cluster: Cluster) -> list[Look]:
    """From a pod, where a release serves whose image it could have."""
    try:
        history = await records.history(cluster, app.namespace, app.name, app.environment)
    except NuagesError:
        history = []
    if records.live(history) is None:
        said = "names and data stores are looked at from a pod with the live release's image, and none is live"
        return [unknown(inside.GROUP, "a pod", said)]
    return await inside.look(app, cluster)
