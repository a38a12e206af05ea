"""Which objects are done, which are waited for, and which failed: the state of a rollout at one moment. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from nuages.app.objects import Object
from nuages.rollout.kinds import TRACKERS, Done, Failed, Verdict, View, Waiting, tracker
from nuages.rollout.pods import Symptom, Trouble, moment, troubles

QUOTA_PATIENCE = timedelta(seconds=15)
"""How long a quota may stay used up while none of the app's pods is on its way out: nothing else frees it."""

UNMADE = timedelta(seconds=1)
"""After so long without a pod a Job or a StatefulSet is suspicious: its controller makes one within milliseconds."""

KINDS = tuple(sorted({*TRACKERS, *(kind for one in TRACKERS.values() for kind in one.needs)}))
"""What a mirror must hold for `survey`; all other kinds are done once they are applied."""


class Survey(NamedTuple):
    """The objects of a rollout, each with the reason or note of its verdict."""

    done: list[tuple[Object, str]]
    waiting: list[tuple[Object, str]]
    failed: list[tuple[Object, str]]

    @property
    def note(self) -> str:
        """What there is to say of those that are done ("3 available")."""
        return together(note for _, note in self.done)


def together(notes: Iterable[str]) -> str:
    """Several notes as one: pods of one state are counted together, all else is said once."""
    counts: dict[str, int] = {}
    for note in filter(None, notes):
        number, _, state = note.partition(" ")
        counted = number.isdecimal() and bool(state)
        state = f" {state}" if counted else note
        counts[state] = counts.get(state, 0) + (int(number) if counted else 0)
    return ", ".join(f"{count if state.startswith(' ') else ''}{state}" for state, count in counts.items())


def survey(wanted: Iterable[Object], view: View, now: datetime) -> Survey:
    """Judge all objects of a rollout as last seen; one whose pods cannot start fails at once."""
    found = Survey([], [], [])
    for item in wanted:
        match judge(item, view, now):
            case Done(note):
                found.done.append((item, note))
            case Waiting(reason):
                found.waiting.append((item, reason))
            case Failed(reason):
                found.failed.append((item, reason))
    return found


def judge(wanted: Object, view: View, now: datetime) -> Verdict:
    """Judge one object: by its kind's rule and, while that says to wait, by what its pods say."""
    if wanted["kind"] not in TRACKERS:
        return Done()
    live = view.get(wanted["kind"], wanted["metadata"]["name"])
    if live is None:
        return Waiting("not there yet")
    verdict = tracker(wanted["kind"]).verdict(live, view)
    if isinstance(verdict, Waiting):
        if full := _no_room(live, view, now):
            return full
        for trouble in pod_troubles(live, view):
            # A Job counts its own failures (backoffLimit) and says when it gives up.
            if trouble.fatal(now) and not (trouble.symptom is Symptom.CRASH and live["kind"] == "Job"):
                return Failed(trouble.summary)
    return verdict


def unmade(wanted: Object, view: View) -> bool:
    """Whether it has no pod, though it shall: only events tell why (a quota, an admission rule).

    A Deployment says it in its own status, a Job and a StatefulSet do not.
    """
    live = view.get(wanted["kind"], wanted["metadata"]["name"]) if wanted["kind"] in {"Job", "StatefulSet"} else None
    if live is None or live["spec"].get("suspend") or live["spec"].get("replicas") == 0:
        return False
    return not tracker(live["kind"]).pods(live, view)


def suspicious(wanted: Object, view: View, now: datetime) -> bool:
    """Whether it is without a pod for longer than its controller needs to make one: look at its events now."""
    live = view.get(wanted["kind"], wanted["metadata"]["name"])
    return live is not None and unmade(wanted, view) and now - moment(live["metadata"]["creationTimestamp"]) > UNMADE


def _no_room(live: Object, view: View, now: datetime) -> Failed | None:
    """Whether a quota keeps its pods out for good, as far as one can tell."""
    found = [one for one in live.get("status", {}).get("conditions", ()) if one["type"] == "ReplicaFailure"]
    if not found or found[0]["status"] != "True":
        return None
    from nuages.rollout.causes import QUOTA, refusal  # noqa: PLC0415 - all causes cost 10 ms to import

    why = refusal(found[0].get("message", ""))
    if why is None or why.id != QUOTA or any(pod["metadata"].get("deletionTimestamp") for pod in view.items("Pod")):
        return None
    late = now - moment(found[0]["lastTransitionTime"]) > QUOTA_PATIENCE
    return Failed(f"its pods are refused: {why.cause}") if late else None


def pod_troubles(live: Object, view: View) -> list[Trouble]:
    """What is wrong with the pods of a workload's current template, the worst first."""
    found = [trouble for pod in tracker(live["kind"]).pods(live, view) for trouble in troubles(pod)]
    return sorted(found, key=lambda trouble: trouble.telling)
