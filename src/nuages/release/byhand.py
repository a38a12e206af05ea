"""What a person changes of what runs, between two releases: how many pods there are, and pods made anew.

Under the lock, so that no release is under way meanwhile; written down; and followed to its end.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.errors import CommandFailed, Refused
from nuages.kube.client import Cluster
from nuages.progress import Sink
from nuages.progress import Step as Shown
from nuages.release import audit, records
from nuages.release.begin import held
from nuages.release.environments import marks
from nuages.release.locks.lock import Wish
from nuages.release.named import Part, of
from nuages.release.record import Stored
from nuages.release.world import World
from nuages.render.labels import TRACK
from nuages.rollout.diagnosis import diagnose
from nuages.rollout.kinds import Done, Failed
from nuages.rollout.watcher import judge, together


class Standing(NamedTuple):
    """What serves, and the place it is in."""

    world: World
    serving: Stored


@contextlib.asynccontextmanager
async def changing(app: App, command: tuple[str, ...], cluster: Cluster, sink: Sink) -> AsyncIterator[Standing]:
    """Hold the environment for the body, which changes what runs.

    Raises:
        Refused: nothing serves, it sleeps, or a release waits in the middle.
        Locked: somebody else is at work.
    """
    async with held(app, cluster, sink, Wish(command=" ".join(command))) as (world, history):
        found = standing(app, world, history)
        if history[0].open:
            number = history[0].record.number
            hint = "nuages promote or nuages abort ends it" if history[0].record.paused else "nuages deploy goes on"
            raise Refused(f"release {number} is in the middle", hint=hint)
        if app.template and (marked := await marks.of(app, cluster)) and marked.asleep:
            raise Refused(f"{app.environment} sleeps", hint=f"nuages env wake {app.environment}")
        async with audit.noted(app, command, cluster, release=found.serving.record.number):
            yield found


def standing(app: App, world: World, history: list[Stored]) -> Standing:
    """What serves, of all releases.

    Raises:
        Refused: nothing does.
    """
    serving = records.live(history)
    if serving is None:
        raise Refused(f"no release of {app.name} is live in {app.namespace}", hint="nuages deploy")
    return Standing(world, serving)


def workloads(world: World, wanted: Sequence[Part]) -> list[Object]:
    """The Deployments and StatefulSets of some components, in the components' order; no set beside them."""
    items = [item for kind in ("Deployment", "StatefulSet") for item in world.mirror.items(kind)]
    own = [item for item in items if TRACK not in (item["metadata"].get("labels") or {})]
    return [item for part in wanted for item in own if of(item) == part]


async def followed(items: Sequence[Object], world: World, shown: Shown, *, hint: str) -> None:
    """Wait until all of them are as they were asked to be.

    Raises:
        CommandFailed: the pods of one can't start; with the cause.
    """
    while True:
        seen = world.mirror.version
        waits, notes = [], []
        for item in items:
            name = item["metadata"]["name"]
            match judge(item, world.mirror, world.now()):
                case Done(note):
                    notes.append(note)
                case Failed(reason):
                    found = await diagnose(world.cluster, world.mirror, item)
                    detail = "\n".join(filter(None, [found.text, found.hint])) if found else ""
                    raise CommandFailed(f"{name}: {found.summary if found else reason}", detail=detail, hint=hint)
                case verdict:
                    waits.append(f"{name} {verdict.reason}")
        if not waits:
            shown.note = together(notes)
            return
        shown.say("; ".join(waits[:3]))
        await world.mirror.changed(5.0, since=seen)
