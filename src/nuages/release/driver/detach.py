"""A release that goes on in the cluster: prepared here, and handed over to a Job. A closed laptop strands nothing."""

from __future__ import annotations

import asyncio
import contextlib
import re

from nuages.app.build import Build
from nuages.app.components import App
from nuages.app.objects import Object
from nuages.errors import ClusterError, Forbidden
from nuages.kube.client import Cluster
from nuages.kube.kinds import KNOWN
from nuages.kube.watch import Mirror
from nuages.progress import Sink, step
from nuages.release import records
from nuages.release.deploy import Holds, prepared
from nuages.release.locks.holder import heir
from nuages.release.locks.lock import ANY, Wish
from nuages.release.manner import PLAIN, Manner
from nuages.release.phases.bring import apply_all, live_of
from nuages.release.record import Record, Stored
from nuages.release.standing import granted
from nuages.release.world import World
from nuages.render.access_roles import GRANTED
from nuages.render.driver import Drive, belongings, job, name
from nuages.rollout.watcher import KINDS

KEPT = 90
"""Seconds that the lock is kept for the Job's pod: its image has to be pulled, and a node may have to come."""

LEAVING = 30.0
"""Seconds in which a Job that ended before its release did is gone."""


async def detach(
    app: App,
    build: Build,
    cluster: Cluster,
    sink: Sink,
    *,
    image: str,
    wish: Wish = ANY,
    manner: Manner = PLAIN,
    holds: Holds | None = None,
) -> Record:
    """Prepare a release as a deploy does, and let a Job in nuages' own `image` drive it; returns the open record.

    Raises:
        Refused, Locked: as `deploy`.
        Forbidden: we may not give the Job the rights it needs: nobody gives what he has not.
    """
    async with prepared(app, build, cluster, sink, wish=wish, manner=manner, holds=holds) as (begun, world):
        with step(sink, "hand over") as shown:
            history = await records.history(cluster, app.namespace, app.name, app.environment)
            arguments = () if manner.returns else ("--no-return",)
            wanted = drive_of(begun, history, image, arguments, await api_ports(cluster))
            await grant(begun, world)
            await world.lock.check()
            try:
                await hand_over(app, wanted, cluster)
            except Forbidden as missing:
                with contextlib.suppress(ClusterError):
                    await cluster.delete("Job", app.namespace, name(app.name, wanted.release))
                missing.hint = "without --detach it goes on from here; it is prepared already"
                raise
            await world.lock.hand_to(heir(wanted.by, begun.record.number), seconds=KEPT)
            shown.note = f"release {begun.record.number} goes on in the cluster"
        return begun.record


async def grant(begun: Stored, world: World) -> None:
    """Apply the rights and limits of a release while whoever may give them is here: its Job only finds them given.

    Raises:
        Forbidden: we may not either.
    """
    wanted = [item for item in begun.manifest.foundation if item["kind"] in GRANTED]
    lives = await asyncio.gather(*(live_of(item, world) for item in wanted))
    differ = [item for item, live in zip(wanted, lives, strict=True) if not (live and granted(item, live))]
    await apply_all(differ, world)


async def hand_over(app: App, wanted: Drive, cluster: Cluster) -> Object:
    """Make the Job, and what it stands on; it begins when all of it is there. Made already, it is left as it is."""
    made = job(app, wanted)
    title = made["metadata"]["name"]
    owner = await cluster.get("Job", app.namespace, title)
    if owner and _ended(owner):
        await _removed(owner, cluster)
        owner = None
    waiting = {**made, "spec": {**made["spec"], "suspend": True}}
    owner = owner or await cluster.apply(waiting)
    for one in belongings(app, wanted, owner):
        await cluster.apply(one)
    return await cluster.patch_merge("Job", app.namespace, title, {"spec": {"suspend": False}})


def _ended(live: Object) -> bool:
    conditions = live.get("status", {}).get("conditions") or []
    return any(one["type"] in {"Complete", "Failed"} and one["status"] == "True" for one in conditions)


async def _removed(live: Object, cluster: Cluster) -> None:
    metadata = live["metadata"]
    await cluster.delete("Job", metadata["namespace"], metadata["name"], uid=metadata["uid"])
    async with asyncio.timeout(LEAVING), Mirror(cluster, metadata["namespace"], ("Job",)) as mirror:
        while mirror.get("Job", metadata["name"]):
            await mirror.changed()


def drive_of(
    begun: Stored, history: list[Stored], image: str, arguments: tuple[str, ...], ports: tuple[int, ...]
) -> Drive:
    """What there is to drive, and all that it touches: its own objects, and those of the releases that it may prune."""
    objects = [item for stored in (begun, *history) for item in stored.manifest.objects]
    copies = {stored.record.secrets for stored in (begun, *history)} - {None}
    webhooks = {hook.webhook.secret for hook in begun.manifest.hooks.values() if hook.webhook}
    given = {_given(item) for item in objects if item["kind"] in GRANTED}
    both = [begun, *filter(None, [records.live(history)])]
    stay = set.intersection(*({_given(item) for item in each.manifest.foundation} for each in both))
    apart = GRANTED | {"Namespace", "Secret"}
    return Drive(
        release=begun.record.number,
        image=image,
        by=re.sub(r"[^\w.@-]", "-", begun.record.by),
        arguments=arguments,
        kinds=tuple(sorted({_resource(item) for item in objects if item["kind"] not in apart})),
        given=tuple(sorted(given)),
        taken=tuple(sorted(given - stay)),
        watched=tuple(sorted({(KNOWN[kind].group, KNOWN[kind].plural) for kind in KINDS})),
        secrets=tuple(sorted({*filter(None, copies), *webhooks})),
        ports=ports,
    )


async def api_ports(cluster: Cluster) -> tuple[int, ...]:
    """Where the API server listens, as far as we may know it: behind its Service, which is what a wall sees."""
    usual = (443, 6443)
    try:
        slices = (
            await cluster.list("EndpointSlice", "default", labels={"kubernetes.io/service-name": "kubernetes"})
        ).items
    except ClusterError:
        return usual
    return tuple(sorted({*usual, *(port["port"] for one in slices for port in one.get("ports") or [])}))


def _given(item: Object) -> tuple[str, str, str]:
    return (*_resource(item), item["metadata"]["name"])


def _resource(item: Object) -> tuple[str, str]:
    """API group and plural. Of a kind that is not ours (KEDA's, those of `objects`) as Kubernetes itself guesses it:
    https://pkg.go.dev/k8s.io/apimachinery/pkg/api/meta#UnsafeGuessKindToResource
    """
    if known := KNOWN.get(item["kind"]):
        return known.group, known.plural
    word = item["kind"].lower()
    plural = f"{word}es" if word.endswith("s") else f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"
    return item["apiVersion"].rpartition("/")[0], plural
