"""Pods made anew, a few at a time, as `kubectl rollout restart` does: the same version, the same configuration.

Who works tasks off goes first, as in a release. No pod ends before its successor is ready; where one can't get ready,
the ones before go on serving.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.errors import ClusterError, CommandFailed
from nuages.kube.client import Cluster
from nuages.progress import Sink, step
from nuages.release import named
from nuages.release.byhand import changing, followed, workloads
from nuages.release.named import Part
from nuages.release.world import World

RESTARTED = "kubectl.kubernetes.io/restartedAt"
"""kubectl's own annotation: no release names it, so none takes it back and rolls the pods for that."""


async def restart(app: App, names: Sequence[str], cluster: Cluster, sink: Sink) -> list[str]:
    """Make the pods of some components anew, or of all that releases have; answers what was restarted.

    Raises:
        UsageError: there is no such component.
        Refused: nothing serves, or a release is in the middle.
        CommandFailed: new pods can't start; the old ones serve on, and what was asked is taken back.
    """
    asked = [part for name in names for part in named.meant(app, name, among=named.SERVING)]
    wanted = [part for part in named.parts(app) if part.component in named.SERVING and (not asked or part in asked)]
    async with changing(app, ("restart", *names), cluster, sink) as (world, _):
        done = []
        for part in wanted:
            if items := [item for item in workloads(world, [part]) if item["spec"].get("replicas", 1)]:
                await _restarted(part, items, world)
                done.append(str(part))
    return done


async def _restarted(part: Part, items: Sequence[Object], world: World) -> None:
    before = [_annotations(item).get(RESTARTED) for item in items]
    with step(world.sink, f"restart {part}") as shown:
        for item in items:
            world.mirror.saw(await _annotated(item, world.now().strftime("%Y-%m-%dT%H:%M:%SZ"), world))
        try:
            await followed(items, world, shown, hint="nothing was lost: the pods from before go on")
        except CommandFailed:
            for item, said in zip(items, before, strict=True):
                await _annotated(item, said, world)
            raise
        except ClusterError as error:
            raise CommandFailed(error.message, hint="the restart goes on in the cluster: nuages status") from error
        except asyncio.CancelledError:
            shown.note = "goes on in the cluster"
            raise


async def _annotated(item: Object, said: str | None, world: World) -> Object:
    await world.lock.check()
    about = item["metadata"]
    told = {"spec": {"template": {"metadata": {"annotations": {RESTARTED: said}}}}}
    return await world.cluster.patch_merge(item["kind"], about["namespace"], about["name"], told)


def _annotations(item: Object) -> dict[str, str]:
    return item["spec"]["template"]["metadata"].get("annotations") or {}
