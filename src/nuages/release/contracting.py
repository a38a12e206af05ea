"""`nuages contract`: what migrations took away goes from the database now, without a release."""

from __future__ import annotations

from nuages.app.components import App
from nuages.errors import Refused, ReleaseFailed
from nuages.kube.client import Cluster
from nuages.progress import Sink, step
from nuages.release import records, reports
from nuages.release.begin import entered
from nuages.release.phases.bring import LOOK_AGAIN, apply_all, failed, survey_of
from nuages.release.reports import Report
from nuages.release.world import World
from nuages.render.jobs import staged


async def contract(app: App, cluster: Cluster, sink: Sink) -> Report:
    """Run the stage in the image that serves; returns what its Job told.

    Raises:
        Refused: nothing serves, a release is open, or the app has no database that is migrated.
        Locked: a release is under way.
        ReleaseFailed: the Job failed.
    """
    async with entered(app, cluster, sink) as (world, history):
        serving = records.live(history)
        if serving is None:
            raise Refused(f"no release of {app.name} is live in {app.namespace}", hint="nuages deploy")
        if history[0].open and history[0] is not serving:
            raise Refused(f"release {history[0].record.number} is not finished", hint="nuages deploy goes on with it")
        if not serving.manifest.expand:
            raise Refused(f"{app.name} has no database that is migrated")
        # Another one each time: a Job can't be changed, and the last one's log is still of interest.
        job = staged(serving.manifest.expand[0], "contract", f"-{int(world.now().timestamp())}")
        with step(sink, "contract") as shown:
            await apply_all([job], world)
            await _complete(job, world)
            told = await reports.of_job(job, world)
            waits = told.left.statements if told.left else 0
            shown.note = f"{waits} left, which have to wait" if waits else "nothing is left"
        return told


async def _complete(job: dict[str, object], world: World) -> None:
    while True:
        seen = world.mirror.version
        found = survey_of([job], world)
        if found.failed:
            answer = await failed(found, world)
            raise ReleaseFailed("contract failed; what serves is unchanged", detail=answer.message, hint=answer.hint)
        if not found.waiting:
            return
        await world.mirror.changed(LOOK_AGAIN, since=seen)
