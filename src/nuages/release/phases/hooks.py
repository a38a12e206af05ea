"""What the project wants done beside the phases: at five points, a command in the new image or a request."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable

from nuages.app.objects import Object
from nuages.errors import ClusterError, NuagesError, Unreachable
from nuages.progress import Said
from nuages.release.phases.bring import apply_one, bring
from nuages.release.record import Stored
from nuages.release.steps import Failed, Finished, Step
from nuages.release.webhook import SECONDS, notice, send
from nuages.release.world import World


def at(point: str, *, binding: bool = True) -> Callable[[Stored, World], Awaitable[Step]]:
    """The phase of one point. Of a release that is live (`binding` false) a failure is told, and changes nothing."""

    async def phase(release: Stored, world: World) -> Step:
        try:
            step = await _run(point, release, world)
        except Unreachable:
            raise
        except ClusterError as problem:
            if binding:
                raise
            step = Failed(problem.message)
        if isinstance(step, Failed) and not binding:
            return Finished(f"failed, which changes nothing: {step.message}")
        return step

    return phase


async def failed(release: Stored, world: World) -> None:
    """Tell that a release failed, or run what is declared for it. Nobody waits for it, and its failure is only said."""
    declared = release.manifest.hooks.get("failed")
    if declared is None:
        return
    with contextlib.suppress(NuagesError, TimeoutError):
        if declared.webhook:
            why = await _tell("failed", release, world)
            world.sink(Said(f"hook failed was not told: {why}" if why else "hook failed told"))
        else:
            await asyncio.gather(*(apply_one(job, world) for job in _numbered(declared.objects, release)))


async def _run(point: str, release: Stored, world: World) -> Step:
    declared = release.manifest.hooks[point]
    if declared.webhook is None:
        jobs = _numbered(declared.objects, release)
        return await bring(point, jobs, jobs, release, world)
    why = await _tell(point, release, world)
    hint = f"look at Secret {declared.webhook.secret}, or take hooks.{point} out of nuages.yaml"
    return Failed(f"hook {point}: {why}", hint=hint) if why else Finished("told")


async def _tell(point: str, release: Stored, world: World) -> str:
    address = release.manifest.hooks[point].webhook
    assert address  # noqa: S101 - the caller looked
    try:
        async with asyncio.timeout(SECONDS):
            return await send(notice(point, release.record), address, world.cluster)
    except TimeoutError:
        return f"no answer from the address within {SECONDS:g} s"


def _numbered(jobs: list[Object], release: Stored) -> list[Object]:
    """The Jobs under this release's own number: one that is brought back has had its own already."""
    number = release.record.number
    return [
        {**job, "metadata": {**job["metadata"], "name": re.sub(r"\d+$", str(number), job["metadata"]["name"])}}
        for job in jobs
    ]
