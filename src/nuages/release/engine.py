"""A release, from its record to live: the story is told here, each phase in its own function.

Nothing is remembered between two calls but what is in the record and in the cluster, so anything may be killed anywhere
and called again, by anyone: a command, CI, a Job, a controller.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import msgspec

from nuages.errors import ClusterError, Conflict, Forbidden, Rejected, ReleaseFailed, ReleaseRefused, Unreachable
from nuages.progress import Step as Shown
from nuages.progress import Told, step
from nuages.release import records, redact, secrets
from nuages.release.phases import hooks
from nuages.release.phases.beat import beat
from nuages.release.phases.canary import canary
from nuages.release.phases.contract import contract
from nuages.release.phases.expand import expand
from nuages.release.phases.exposure import exposure
from nuages.release.phases.frontends import frontends
from nuages.release.phases.live import live
from nuages.release.phases.maintenance import maintenance
from nuages.release.phases.prune import prune
from nuages.release.phases.schedules import schedules
from nuages.release.phases.services import services
from nuages.release.phases.settle import settle
from nuages.release.phases.static import static
from nuages.release.phases.undo import undo
from nuages.release.phases.verify import verify
from nuages.release.phases.web import web
from nuages.release.phases.workers import workers
from nuages.release.record import Outcome, Passed, Record, Stored
from nuages.release.steps import Advanced, Done, Failed, Finished, Paused, Step, Waiting
from nuages.release.world import World
from nuages.render.hooks import POINTS
from nuages.rollout.causes.refusals import refusal

Phase = Callable[[Stored, World], Awaitable[Step]]

PHASES: dict[str, Phase] = {
    "services": services,  # identity, configuration, walls, volumes, data stores that are not there yet
    "maintenance": maintenance,  # the page in front and nothing running, where asked for
    "before-expand": hooks.at("before-expand"),
    "expand": expand,  # migrations, as far as the code that runs can live with them
    "after-expand": hooks.at("after-expand"),
    "static": static,  # the files of this release beside those of the ones before, ahead of any page that names them
    "canary": canary,  # a set beside the one that serves, where asked for; a person or the numbers promote it
    "workers": workers,
    "web": web,
    "exposure": exposure,  # the ways in, when all that they lead to is there
    "frontends": frontends,  # what asks the new web
    "beat": beat,
    "schedules": schedules,
    "verify": verify,  # what answers is what was released
    "after-rollout": hooks.at("after-rollout"),
    "live": live,  # said and written down: nothing below takes it back
    "released": hooks.at("released", binding=False),
    "settle": settle,  # backfills: no old pod writes any more
    "contract": contract,  # what no running code knows, put aside first; where the spec wants it in this release
    "undo": undo,  # of a rollback: migrations that the code brought back can't live with
    "prune": prune,  # what earlier releases made and nobody needs
}
"""In this order, and none knows its neighbours: a task that the new web sends finds a worker that knows it."""

BACK = (
    "services",
    "static",
    "expand",
    "schedules",
    "beat",
    "frontends",
    "web",
    "exposure",
    "workers",
    "undo",
    "verify",
    "after-rollout",
    "live",
    "released",
    "prune",
)
"""The order of a rollback: who sends new tasks goes before who works them off."""

OPTIONAL = (
    "static",
    "maintenance",
    "canary",
    "workers",
    "exposure",
    "frontends",
    "beat",
    "schedules",
    "settle",
    "contract",
    "undo",
)
"""The phases of what an app may have none of, or a release was not asked for: their part of the manifest is empty."""

AWAY = 2.0
"""Seconds until a cluster that did not answer is asked again."""

PATIENCE = 60.0
"""Seconds that a cluster may stay away, as an API server does that is upgraded."""


async def advance(release: Stored, world: World) -> Step:
    """Do the next thing that is left of one release; called until it answers Done, Failed or Paused.

    That a phase is over is not written by itself: the next one's first write, or the wait for it, brings it along. Who
    is killed in between finds it over again.

    Raises:
        Superseded: another writer took the lock over; nothing was written.
        ClusterError: the cluster said no, or nothing; the record is as it was.
    """
    for name in order(release):
        if _over(release, name):
            continue
        match await PHASES[name](release, world):
            case Finished(note):
                record = release.record.finished(name, world.now(), note)
                return Advanced(msgspec.structs.replace(release, record=record, ahead=True))
            case Waiting() if release.ahead:
                return Advanced(await records.save(release, release.record, world))
            case answer:
                return answer
    return Done()


def order(release: Stored) -> list[str]:
    """The phases of a release, forth or back; without those that have nothing to do in it."""
    absent = {name for name in OPTIONAL if not getattr(release.manifest, name)}
    absent |= {name for name in POINTS if name not in release.manifest.hooks}
    return [name for name in (PHASES if release.record.restores is None else BACK) if name not in absent]


async def drive(release: Stored, world: World) -> Record:
    """Advance a release until it ends, telling each phase as a step; returns the closed record, or the
    open one of a release that is paused.

    Raises:
        ReleaseFailed: with the diagnosis; the record is closed as failed. ReleaseRefused: before anything was touched.
        ClusterError: a final one closes the record as failed too; after a transient one the same call goes on.
    """
    for name in order(release):
        if not _over(release, name):
            with step(world.sink, name) as shown:
                release = await _complete(name, release, world, shown)
            if not _over(release, name):
                return release.record  # paused
    return (await _close(release, world, Outcome.LIVE)).record


async def _complete(name: str, release: Stored, world: World, shown: Shown) -> Stored:
    """Advance until one phase is over."""
    away = 0.0
    while not (passed := _over(release, name)):
        seen = world.mirror.version
        try:
            answer = await _advanced(release, world)
            away = 0.0
        except Unreachable as problem:
            if (away := away + AWAY) > PATIENCE:
                raise
            shown.say(problem.message)
            await asyncio.sleep(AWAY)
            release = await _again(release, world)
            continue
        match answer:
            case Advanced(changed):
                release = changed
            case Waiting(reason, again):
                shown.say(redact.text(reason))
                await world.mirror.changed(again, since=seen)
            case Paused(reason, hint):
                shown.note = "paused"  # what for is said once, at the end
                waiting = await records.save(release, release.record.waits(name, world.now(), reason, hint), world)
                said = {"release": release.record.number, "phase": name, "reason": reason, "hint": hint}
                world.sink(Told("paused", said))
                return waiting
            case Failed(refused=refused) as failed:
                message, detail, hint = await _public(failed, release, world)
                shown.note = message
                # The record keeps what happened, not the log: a project may have logged what is nobody's business.
                await hooks.failed(await _close(release, world, Outcome.FAILED, message), world)
                raise (ReleaseRefused if refused and not release.record.live else ReleaseFailed)(
                    _ended_badly(name, release, world),
                    detail=f"{message}\n{detail}".strip(),
                    hint=hint,
                )
            case Finished() | Done():
                break
    shown.note = passed.note if passed else ""
    return release


async def _public(failed: Failed, release: Stored, world: World) -> tuple[str, str, str]:
    """What a project logged, told or asked a database may have a secret in it: taken out before anybody sees it."""
    hide = await secrets.hidden(release.manifest, release.record.namespace, world.cluster)
    return hide(failed.message), hide(failed.detail), hide(failed.hint)


def _ended_badly(phase: str, release: Stored, world: World) -> str:
    """What a release that failed means for those who use the app."""
    number = release.record.number
    if release.record.live:
        return f"release {number} is live, and {phase} failed: deploy again takes it up"
    return f"release {number} failed; {_serves(release, world)}"


def _serves(release: Stored, world: World) -> str:
    """What answers requests now: behind the phase of the web, it is the release that failed."""
    if _over(release, "web"):
        back = f"; nuages rollback brings release {world.serving} back" if world.serving else ""
        return f"its web serves already{back}"
    return f"release {world.serving} goes on serving" if world.serving else "nothing serves yet"


async def _again(release: Stored, world: World) -> Stored:
    """Read the record anew: whether the last write arrived is not known."""
    try:
        return await records.read(release.record, world.cluster) or release
    except Unreachable:
        return release


async def _advanced(release: Stored, world: World) -> Step:
    """Advance; what the cluster refuses for good ends the release, what it may grant later leaves it open."""
    try:
        return await advance(release, world)
    except (Conflict, Forbidden, Rejected) as final:
        why = refusal(final.message)
        failure = f"{final.message}: {why.cause} ({why.id})" if why else final.message
        if why:
            final.message, final.hint = failure, final.hint or why.hint
        with contextlib.suppress(ClusterError):
            await hooks.failed(await _close(release, world, Outcome.FAILED, failure), world)
        raise


def _over(release: Stored, name: str) -> Passed | None:
    """What is written of a phase that has ended; None while it has not."""
    passed = release.record.phase(name)
    return passed if passed and passed.ended else None


async def _close(release: Stored, world: World, outcome: Outcome, failure: str = "") -> Stored:
    return await records.save(release, release.record.closed(outcome, world.now(), failure), world)
