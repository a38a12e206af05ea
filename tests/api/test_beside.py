"""A set beside the release that serves, a page in its place, and the way back, against a real API server.

Pods are played, and what they count is given: whom requests reach is read off Services and Deployments.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from nuages.app.build import Build
from nuages.app.components import resolve
from nuages.errors import Refused, ReleaseFailed, RolledBack
from nuages.progress import Started, silent
from nuages.release import draining, engine, records
from nuages.release.deploy import deploy
from nuages.release.manner import Manner
from nuages.release.phases import verify
from nuages.release.record import Outcome
from nuages.release.trials import beside
from nuages.release.trials.promotion import abort, promote
from nuages.release.trials.trial import Counted
from nuages.spec.load import load

pytestmark = pytest.mark.api
BLOG = Path(__file__).parents[2] / "examples" / "plain.nuages.yaml"
BUILD = Build(
    reference="registry.example.com/acme/blog@sha256:" + "1" * 64,
    wsgi="blog.wsgi:application",
    settings="blog.settings",
    migrations={"posts": ["0001_initial"]},
    media_root="/app/media",
)
CANARY, STEPS = Manner(kind="canary", percent=10), Manner(kind="canary")
GREEN, PAGE = Manner(kind="blue-green"), Manner(maintenance=True)
WELL = Counted(requests=1000, buckets={"0.1": 1000, "+Inf": 1000})
BADLY = Counted(requests=1000, errors=400, buckets={"0.1": 1000, "+Inf": 1000})
FEW = Counted(requests=3, buckets={"0.1": 3, "+Inf": 3})


@pytest.fixture
def specs(namespace, tmp_path):
    """The blog in orange, and in maroon."""
    text = BLOG.read_text().replace("  local:\n", f"  local:\n    namespace: {namespace}\n")
    text = text.replace("storage: 1Gi}", "storage: 1Gi, resources: {memory: 1Gi}}")
    text += "canary: {steps: [10%, 50%], pause: 0s}\n"
    made = []
    for colour in ("orange", "maroon"):
        file = tmp_path / f"{colour}.yaml"
        file.write_text(text.replace("COLOR: orange", f"COLOR: {colour}"))
        made.append(resolve(load(file), "local"))
    return made


class Counts:
    """What the pods count: `mine` those of the set, at each look once more; the others always well."""

    def __init__(self):
        self.mine, self._looks = FEW, 0

    async def counted(self, items, world):
        found = [item["metadata"]["name"] for item in beside.webs(items)]
        self._looks += 1
        return {f"{name}-1": self._times(self.mine if name.endswith(("-canary", "-green")) else WELL) for name in found}

    def _times(self, one):
        buckets = {bound: count * self._looks for bound, count in one.buckets.items()}
        return Counted(requests=one.requests * self._looks, errors=one.errors * self._looks, buckets=buckets)


@pytest.fixture
def counts(monkeypatch):
    """What the pods count from now on."""
    said = Counts()
    monkeypatch.setattr(beside, "counted", said.counted)
    return said


@pytest.fixture(autouse=True)
def _nobody_answers(monkeypatch):
    monkeypatch.setattr(verify, "VERIFY", timedelta(0))
    monkeypatch.setattr(engine, "PATIENCE", 0)


async def names(cluster, namespace, kind="Deployment"):
    return {item["metadata"]["name"] for item in (await cluster.list(kind, namespace)).items}


async def key(cluster, namespace, service):
    """Whom a Service leads to."""
    return (await cluster.get("Service", namespace, service))["spec"]["selector"]["nuages.dev/key"]


async def test_a_canary_waits_beside_the_release_that_serves_and_is_promoted_step_by_step(
    specs, namespace, cluster, kubelet, counts
):
    orange, maroon = specs
    await deploy(orange, BUILD, cluster, silent)
    waits = await deploy(maroon, BUILD, cluster, silent, manner=CANARY)
    assert (waits.outcome, waits.paused.phase) == (Outcome.RUNNING, "canary")
    assert "which says too little" in waits.paused.reason
    assert await names(cluster, namespace) == {"blog-web-main", "blog-web-main-canary"}
    same = await deploy(maroon, BUILD, cluster, silent, manner=CANARY)
    assert (same.number, same.paused.phase) == (2, "canary"), "asked again it goes on, and waits as before"
    further = await promote(orange, cluster, silent)
    assert further.trial.step == 1
    set_of_two = await cluster.get("Deployment", namespace, "blog-web-main-canary")
    assert set_of_two["spec"]["replicas"] == 3, "half of the requests are for as many pods as there are"
    live = await promote(orange, cluster, silent)
    assert (live.number, live.outcome) == (2, Outcome.LIVE)
    assert await names(cluster, namespace) == {"blog-web-main"}
    history = await records.history(cluster, namespace, "blog", "local")
    assert [stored.record.number for stored in history] == [2, 1]


async def test_a_canary_that_was_asked_for_in_steps_goes_on_by_itself_while_all_is_well(
    specs, namespace, cluster, kubelet, counts
):
    orange, maroon = specs
    await deploy(orange, BUILD, cluster, silent)
    counts.mine = WELL
    live = await deploy(maroon, BUILD, cluster, silent, manner=STEPS)
    assert (live.outcome, live.trial.ending, live.trial.step) == (Outcome.LIVE, "promoted", 1)
    assert await names(cluster, namespace) == {"blog-web-main"}


async def test_a_canary_that_answers_badly_is_taken_back_and_the_exit_code_says_so(
    specs, namespace, cluster, kubelet, counts
):
    orange, maroon = specs
    await deploy(orange, BUILD, cluster, silent)
    counts.mine = BADLY
    with pytest.raises(RolledBack, match="release 1 serves as before") as failed:
        await deploy(maroon, BUILD, cluster, silent, manner=CANARY)
    assert failed.value.exit_code == 4
    assert "requests failed, 0 of" in failed.value.detail
    assert await names(cluster, namespace) == {"blog-web-main"}
    history = await records.history(cluster, namespace, "blog", "local")
    assert [stored.record.outcome for stored in history] == [Outcome.FAILED, Outcome.LIVE]


async def test_a_canary_is_aborted_and_what_served_serves(specs, namespace, cluster, kubelet, counts):
    orange, maroon = specs
    await deploy(orange, BUILD, cluster, silent)
    served = await cluster.get("Deployment", namespace, "blog-web-main")
    await deploy(maroon, BUILD, cluster, silent, manner=CANARY)
    aborted = await abort(orange, cluster, silent)
    assert (aborted.outcome, aborted.failure[:10]) == (Outcome.FAILED, "aborted by")
    assert await names(cluster, namespace) == {"blog-web-main"}
    after = await cluster.get("Deployment", namespace, "blog-web-main")
    assert after["metadata"]["generation"] == served["metadata"]["generation"]
    with pytest.raises(Refused, match="no release waits"):
        await promote(orange, cluster, silent)


async def test_blue_and_green_are_switched_at_once_and_the_old_one_stays_until_somebody_says(
    specs, namespace, cluster, kubelet, counts
):
    orange, maroon = specs
    await deploy(orange, BUILD, cluster, silent)
    await deploy(maroon, BUILD, cluster, silent, manner=GREEN)
    assert {await key(cluster, namespace, name) for name in ("blog", "blog-web-main")} == {"main.green"}
    assert (await cluster.get("Deployment", namespace, "blog-web-main"))["status"]["availableReplicas"] == 3
    await abort(orange, cluster, silent)
    assert {await key(cluster, namespace, name) for name in ("blog", "blog-web-main")} == {"main"}
    await deploy(maroon, BUILD, cluster, silent, manner=GREEN)
    await promote(orange, cluster, silent)
    assert {await key(cluster, namespace, name) for name in ("blog", "blog-web-main")} == {"main"}
    assert await names(cluster, namespace) == {"blog-web-main"}
    assert await names(cluster, namespace, "PodDisruptionBudget") == {"blog-postgres", "blog-web-main"}


async def test_another_deploy_overtakes_a_canary_and_leaves_nothing_of_it(specs, namespace, cluster, kubelet, counts):
    orange, maroon = specs
    await deploy(orange, BUILD, cluster, silent)
    await deploy(maroon, BUILD, cluster, silent, manner=GREEN)
    live = await deploy(maroon, BUILD, cluster, silent)
    assert (live.number, live.outcome) == (3, Outcome.LIVE)
    assert await names(cluster, namespace) == {"blog-web-main"}
    assert {await key(cluster, namespace, name) for name in ("blog", "blog-web-main")} == {"main"}


async def test_during_maintenance_the_page_answers_and_nothing_else_runs(specs, namespace, cluster, kubelet):
    orange, maroon = specs
    await deploy(orange, BUILD, cluster, silent)
    await stopped_in(deploy(maroon, BUILD, cluster, watched := Watched("expand"), manner=PAGE), watched)
    assert {await key(cluster, namespace, name) for name in ("blog", "blog-web-main")} == {"maintenance.page"}
    assert (await cluster.get("Deployment", namespace, "blog-web-main"))["spec"]["replicas"] == 0
    live = await deploy(maroon, BUILD, cluster, silent, manner=PAGE)
    assert (live.number, live.outcome, live.maintenance) == (2, Outcome.LIVE, True)
    assert {await key(cluster, namespace, name) for name in ("blog", "blog-web-main")} == {"main"}
    assert await names(cluster, namespace) == {"blog-web-main"}
    assert (await cluster.get("Deployment", namespace, "blog-web-main"))["spec"]["replicas"] == 3


@pytest.mark.parametrize("phase", ["web", "prune"])
async def test_a_maintenance_that_was_stopped_anywhere_is_simply_run_again(specs, namespace, cluster, kubelet, phase):
    orange, maroon = specs
    await deploy(orange, BUILD, cluster, silent)
    await stopped_in(deploy(maroon, BUILD, cluster, watched := Watched(phase), manner=PAGE), watched)
    live = await deploy(maroon, BUILD, cluster, silent, manner=PAGE)
    assert (live.number, live.outcome) == (2, Outcome.LIVE)
    assert await names(cluster, namespace) == {"blog-web-main"}


async def test_a_maintenance_is_aborted_while_no_migration_has_run(specs, namespace, cluster, kubelet):
    orange, maroon = specs
    await deploy(orange, BUILD, cluster, silent)
    await stopped_in(deploy(maroon, BUILD, cluster, watched := Watched("maintenance"), manner=PAGE), watched)
    back = await abort(orange, cluster, silent)
    assert (back.restores, back.outcome) == (1, Outcome.LIVE)
    assert {await key(cluster, namespace, name) for name in ("blog", "blog-web-main")} == {"main"}
    assert await names(cluster, namespace) == {"blog-web-main"}


async def test_a_rollout_that_fails_is_followed_by_the_last_good_release(specs, namespace, cluster, kubelet):
    orange, maroon = specs
    await deploy(orange, BUILD, cluster, silent)
    kubelet.crash.add("web")
    failing = asyncio.create_task(deploy(maroon, BUILD, cluster, silent))
    with pytest.raises(RolledBack, match="release 1 was brought back, as release 3") as failed:
        await failing
    assert "crashed" in failed.value.detail
    history = await records.history(cluster, namespace, "blog", "local")
    assert [stored.record.outcome for stored in history] == [Outcome.LIVE, Outcome.FAILED, Outcome.LIVE]
    assert history[0].record.restores == 1


async def test_a_first_release_that_fails_has_nothing_to_come_back_to(specs, namespace, cluster, kubelet):
    kubelet.crash.add("web")
    with pytest.raises(ReleaseFailed) as failed:
        await deploy(specs[0], BUILD, cluster, silent)
    assert failed.value.exit_code == 1


SITE = """
apiVersion: nuages/v1
name: site
image: registry.example.com/acme/site
web: {main: {}}
workers: {default: {celery: {app: site}}}
services: {redis: {run: {}}}
environments: {local: {namespace: NAMESPACE}}
"""


async def test_tasks_that_only_old_workers_know_are_theirs_to_end_whatever_the_manner(
    namespace, cluster, kubelet, tmp_path
):
    spec = tmp_path / "site.yaml"
    spec.write_text(SITE.replace("NAMESPACE", namespace))
    app = resolve(load(spec), "local")
    images = [
        msgspec.structs.replace(
            BUILD, migrations={}, tasks=dict.fromkeys(known, "()"), reference=f"{BUILD.reference[:-1]}{number}"
        )
        for number, known in enumerate(("ab", "b", "c"))
    ]
    await deploy(app, images[0], cluster, silent)
    since = (await cluster.list("Deployment", namespace)).resource_version
    watched = asyncio.create_task(appears("site-worker-default-old", namespace, cluster, since))
    assert (await deploy(app, images[1], cluster, silent)).outcome is Outcome.LIVE
    assert (await watched)["metadata"]["annotations"][draining.NAMES] == "a"
    assert await names(cluster, namespace) == {"site-web-main", "site-worker-default"}, "none of its tasks was left"
    assert (await deploy(app, images[2], cluster, silent, manner=PAGE)).outcome is Outcome.LIVE
    last = await cluster.get("Job", namespace, "site-tasks-last-3")
    assert "b" in last["spec"]["template"]["spec"]["containers"][0]["command"]


async def appears(name, namespace, cluster, since):
    """The Deployment of that name, as it was when it was made."""
    async with contextlib.aclosing(cluster.watch("Deployment", namespace, resource_version=since)) as events:
        async for event in events:
            if event.object["metadata"]["name"] == name:
                return event.object
    raise AssertionError(f"nobody made {name}")


class Watched:
    """A sink that says when a phase begins."""

    def __init__(self, phase):
        self.begun = asyncio.Event()
        self._phase = phase

    def __call__(self, event):
        if isinstance(event, Started) and event.title == self._phase:
            self.begun.set()


async def stopped_in(story, watched):
    """Run a story until its phase begins, and stop it there."""
    task = asyncio.create_task(story)
    await watched.begun.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
