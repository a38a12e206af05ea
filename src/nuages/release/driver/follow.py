"""Following, from anywhere, a release that a Job drives: its events are shown as if they happened here."""

from __future__ import annotations

import contextlib
from collections import Counter, deque
from typing import Any

import msgspec

from nuages.app.components import App
from nuages.app.objects import Object
from nuages.errors import ClusterError, NuagesError, Refused, ReleaseFailed, RolledBack
from nuages.kube.client import Cluster
from nuages.kube.watch import Mirror
from nuages.progress import Finished, Said, Sink, Started, Told
from nuages.release import records, redact
from nuages.release.events import Event
from nuages.release.record import Record
from nuages.render.driver import DRIVER, name
from nuages.render.labels import COMPONENT, instance

WORDS = 10
"""Lines that are shown of a pod that ended in another way than by telling how."""

LOOK_AGAIN = 2.0
"""Seconds until a pod whose log has ended is looked at again."""


async def follow(app: App, number: int, cluster: Cluster, sink: Sink) -> Record:
    """Show what the Job of a release tells until the release ends or waits; answers its record then.

    Raises:
        ReleaseFailed, RolledBack, Refused: as the Job says; Refused too where there is none.
    """
    selector = {**instance(app), COMPONENT: DRIVER}
    seen: Counter[str] = Counter()
    words: deque[str] = deque(maxlen=WORDS)
    async with Mirror(cluster, app.namespace, ("Job", "Pod"), selector) as mirror:
        while True:
            version = mirror.version
            for pod in [pod for pod in mirror.items("Pod") if _drives(pod, app, number)]:
                if ended := await _shown(pod, seen, words, cluster, sink):
                    _raise(ended)
                    return await _record(app, number, cluster)
            job = mirror.get("Job", name(app.name, number))
            record = await _record(app, number, cluster)
            if record.ended or record.paused:
                return record
            if job is None:
                raise Refused(
                    f"release {number} is under way, but no Job in the cluster drives it",
                    hint="nuages status tells whether somebody is at it; nuages deploy goes on with it",
                )
            if reason := _failed(job):
                said = redact.text("\n".join(words))
                hint = "nuages deploy goes on with it from here"
                raise ReleaseFailed(f"the Job that drives release {number} ended: {reason}", detail=said, hint=hint)
            sink(Said(_standing(mirror.items("Pod"))))
            await mirror.changed(LOOK_AGAIN, since=version)


async def _shown(pod: Object, seen: Counter[str], words: deque[str], cluster: Cluster, sink: Sink) -> Event | None:
    """Show a pod's log as far as it was not shown yet; answers its last word, None where it has not spoken it.

    What is no event, as a traceback, is kept in `words`.
    """
    metadata = pod["metadata"]
    if pod.get("status", {}).get("phase") == "Pending":
        return None
    skip, at = seen[metadata["uid"]], 0
    with contextlib.suppress(ClusterError):  # the node went away, or the connection: whoever looks again goes on
        async with contextlib.aclosing(cluster.followed(metadata["namespace"], metadata["name"], "nuages")) as lines:
            async for line in lines:
                at += 1
                if at <= skip:
                    continue
                seen[metadata["uid"]] = at
                event = _event(line)
                if event and event.event == "ended" and event.exit not in {None, 130}:
                    return event
                if event:
                    _show(event, sink)
                else:
                    words.append(line)
    return None


def _event(line: str) -> Event | None:
    """A line of the log as an event; None for all else, as what Python says when it is killed."""
    try:
        return msgspec.json.decode(line, type=Event)
    except msgspec.DecodeError:
        return None


def _show(event: Event, sink: Sink) -> None:
    match event.event, event.state:
        case "step", "started":
            sink(Started(event.step, event.expected))
        case "step", "said":
            sink(Said(event.line))
        case "step", "ended":
            sink(Finished(event.step, ok=bool(event.ok), note=event.note))
        case (("live" | "paused"), _):
            fields: dict[str, Any] = msgspec.to_builtins(event)
            sink(Told(event.event, {key: fields[key] for key in fields.keys() - {"schema", "time", "event"}}))


def _raise(ended: Event) -> None:
    """The error that the Job ended with, as if it were ours."""
    if not ended.exit:
        return
    kinds: dict[int, type[NuagesError]] = {3: Refused, 4: RolledBack}
    kind = kinds.get(ended.exit, ReleaseFailed)
    error = kind(ended.message, hint=ended.hint, place=ended.place)
    error.detail = ended.detail
    raise error


async def _record(app: App, number: int, cluster: Cluster) -> Record:
    history = await records.history(cluster, app.namespace, app.name, app.environment)
    found = next((stored.record for stored in history if stored.record.number == number), None)
    if found is None:
        raise ReleaseFailed(f"the record of release {number} is gone", hint="nuages releases")
    return found


def _drives(pod: Object, app: App, number: int) -> bool:
    owners = pod["metadata"].get("ownerReferences") or []
    return any((owner["kind"], owner["name"]) == ("Job", name(app.name, number)) for owner in owners)


def _failed(job: Object) -> str:
    conditions = job.get("status", {}).get("conditions") or []
    return next((one.get("message", "") for one in conditions if one["type"] == "Failed"), "")


def _standing(pods: list[Object]) -> str:
    """Why nothing is heard yet."""
    for pod in pods:
        for status in pod.get("status", {}).get("containerStatuses") or []:
            if waiting := status.get("state", {}).get("waiting"):
                return f"{pod['metadata']['name']}: {waiting.get('reason', '')} {waiting.get('message', '')}".strip()
    return "waiting for the Job's pod"
