"""The set that goes beside the release that serves: its pods, its share of the requests, and how it does."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from nuages.app.objects import Object
from nuages.release import records
from nuages.release.answering import UNREACHED, answers
from nuages.release.phases.bring import apply_all, failed, survey_of
from nuages.release.record import Record, Stored
from nuages.release.steps import Advanced, Failed, Finished, Paused, Step, Waiting
from nuages.release.trials import beside
from nuages.release.trials.judge import Bad, Good, Judged, Unknown, judge, judge_time, since, worse
from nuages.release.trials.trial import ABORTED, PROMOTED, Counted, Trial
from nuages.release.world import World
from nuages.render.canary import GATEWAY

LOOK_AGAIN = 5.0
"""Seconds between two looks at what the pods count."""

WARM = timedelta(seconds=15)
"""After so long a pod's first requests are over, that load what is loaded when it is needed first."""

GOES_ON = "nuages promote goes on, nuages abort takes it back"


async def canary(release: Stored, world: World) -> Step:
    """Step by step: the pods for a share of the requests, then the share, then how both answer meanwhile.

    Ends when the set is promoted. One that is worse gets no requests any more, and the release fails. Whether it is
    better nobody may know: then the release is paused, and the set keeps its share.
    """
    trial, old = release.record.trial, await beside.serving(world, release)
    if trial is None or old is None:
        return Finished("nothing serves beside which it could stand")
    if trial.ending == PROMOTED:
        return Finished(f"promoted at {trial.percent} %")
    if trial.ending == ABORTED:
        return Failed("aborted")
    if trial.sized != trial.step:
        return await _size(release, trial, world)
    if trial.since is None:
        return await _begin(release, trial, old, world)
    return await _watch(release, trial, old, world)


async def _size(release: Stored, trial: Trial, world: World) -> Step:
    """Apply the set with the pods that this step asks for."""
    live = await apply_all(beside.objects(release, world), world)
    record = release.record
    if record.phase("canary") is None:
        record = record.begun("canary", world.now(), live)
    return await _save(release, msgspec.structs.replace(record, trial=_with(trial, sized=trial.step)), world)


async def _begin(release: Stored, trial: Trial, old: Stored, world: World) -> Step:
    """When its pods are there and answer as this release: the share of the requests."""
    found = survey_of(beside.objects(release, world), world)
    if found.failed:
        return await failed(found, world)
    if found.waiting:
        return Waiting("; ".join(f"{item['metadata']['name']} {reason}" for item, reason in found.waiting), LOOK_AGAIN)
    for service in [item for item in release.manifest.canary if item["kind"] == "Service"]:
        said = await answers(service, world)
        if isinstance(said, str) and said not in (str(release.record.template), UNREACHED):
            return Waiting(f"{service['metadata']['name']} answers as {said}", 1.0)
    await beside.share_out(release, old, world, trial.percent)
    try:
        before = await beside.counted([*_webs(release), *beside.webs(old.manifest.web)], world)
    except beside.Unmeasured:
        before = {}
    begun = _with(trial, since=world.now(), before=before)
    return await _save(release, msgspec.structs.replace(release.record, trial=begun), world)


async def _watch(release: Stored, trial: Trial, old: Stored, world: World) -> Step:
    """How both answer, until the step's time is over; then on, back or to a person."""
    assert trial.since is not None  # noqa: S101 - the step has begun
    now, began = world.now(), trial.since
    try:
        counted = await beside.counted([*_webs(release), *beside.webs(old.manifest.web)], world)
    except beside.Unmeasured as reason:
        judged: Judged = Unknown(str(reason))
    else:
        if trial.warm is None and now - began >= min(WARM, timedelta(seconds=trial.pause / 3)):
            return await _save(
                release, msgspec.structs.replace(release.record, trial=_with(trial, warm=counted)), world
            )
        judged = _judged(release, trial, counted, over=now - began >= timedelta(seconds=trial.pause))
    if isinstance(judged, Bad):
        await beside.take_back(release, old, world)
        return Failed(f"{_named(release, trial)} answers worse: {judged.why}", hint="the old release answers again")
    left = began + timedelta(seconds=trial.pause) - now
    if left > timedelta(0):
        again = min(LOOK_AGAIN, left.total_seconds())
        return Waiting(f"{_share(release, trial, old, world)}, {_clock(left)} to go: {judged.why}", again)
    if not trial.automatic or isinstance(judged, Unknown):
        well = "answers well" if isinstance(judged, Good) else "nobody can tell yet whether it answers well"
        return Paused(f"{_share(release, trial, old, world)}; {well}: {judged.why}", GOES_ON)
    later = _with(trial, ending=PROMOTED) if trial.last else trial.at(trial.step + 1)
    return await _save(release, msgspec.structs.replace(release.record, trial=later), world)


def _judged(release: Stored, trial: Trial, counted: dict[str, Counted], *, over: bool) -> Judged:
    """The set beside the release that serves: errors at any time, how long requests take when the step is over.

    To a release that was switched off at once hardly any requests come: what it did before is what counts there.
    """
    mine = {pod for pod in counted if any(pod.startswith(f"{item['metadata']['name']}-") for item in _webs(release))}
    new, theirs = ({pod: one for pod, one in counted.items() if (pod in mine) is own} for own in (True, False))
    switched = trial.kind == "blue-green"

    def both(before: dict[str, Counted]) -> tuple[Counted, Counted]:
        old = {pod: one for pod, one in trial.before.items() if pod in theirs}
        return since(before, new), since({}, old) if switched else since(before, theirs)

    judged = judge(*both(trial.before), error_rate=trial.error_rate)
    if not over or trial.warm is None:
        return judged
    return worse(judged, judge_time(*both(trial.warm), latency=trial.latency))


def _webs(release: Stored) -> list[Object]:
    return beside.webs(release.manifest.canary)


def _share(release: Stored, trial: Trial, old: Stored, world: World) -> str:
    """Which requests reach it now, as far as that can be said."""
    if trial.kind == "blue-green":
        return f"all requests reach release {release.record.number}, the old one is kept warm"
    reach = f"% of the requests reach release {release.record.number}"
    if trial.way == GATEWAY:
        return f"{trial.percent} {reach}"
    short = ", the database has connections for no more" if beside.limited(release, trial.percent) else ""
    return f"about {beside.by_number(release, old, world)} {reach}{short}"


def _named(release: Stored, trial: Trial) -> str:
    return f"release {release.record.number} at {trial.percent} %"


def _clock(left: timedelta) -> str:
    minutes, seconds = divmod(round(left.total_seconds()), 60)
    return f"{minutes}:{seconds:02d}"


def _with(trial: Trial, **changes: object) -> Trial:
    return msgspec.structs.replace(trial, **changes)


async def _save(release: Stored, record: Record, world: World) -> Step:
    return Advanced(await records.save(release, record, world))
