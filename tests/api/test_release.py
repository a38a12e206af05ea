"""A release against a real API server; the kubelet's part, the pods, is played by writing their status."""

from __future__ import annotations

import asyncio
import base64
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from nuages.app.build import Build
from nuages.app.components import resolve
from nuages.errors import NotOurs, Refused, ReleaseFailed, Unreachable
from nuages.kube.failures import Asked
from nuages.progress import Started, silent
from nuages.release import engine, records, secrets
from nuages.release.back.rollback import rollback
from nuages.release.deploy import deploy
from nuages.release.manner import Manner
from nuages.release.phases import verify
from nuages.release.record import Outcome
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


@pytest.fixture
def app(namespace, tmp_path):
    """The blog, in this test's namespace."""
    return blog(namespace, tmp_path)


def blog(namespace, folder, **replaced):
    text = BLOG.read_text().replace("  local:\n", f"  local:\n    namespace: {namespace}\n")
    for old, new in replaced.items():
        assert old in text
        text = text.replace(old, new)
    spec = folder / "nuages.yaml"
    spec.write_text(text)
    return resolve(load(spec), "local")


@pytest.fixture(autouse=True)
def _nobody_answers(monkeypatch):
    """No pod answers requests here, so none is waited for."""
    monkeypatch.setattr(verify, "VERIFY", timedelta(0))
    monkeypatch.setattr(engine, "PATIENCE", 0)


async def test_a_first_release_goes_through_all_phases_and_is_recorded(app, cluster, kubelet):
    record = await deploy(app, BUILD, cluster, silent)
    assert (record.number, record.outcome) == (1, Outcome.LIVE)
    assert [passed.phase for passed in record.passed] == [
        "services",
        "expand",
        "web",
        "exposure",
        "verify",
        "live",
        "prune",
    ]
    (kept,) = await records.history(cluster, app.namespace, "blog", "local")
    assert kept.record == record
    assert (await cluster.get("ConfigMap", app.namespace, "blog-release-1"))["immutable"] is True


async def test_what_is_unchanged_is_not_migrated_again_and_keeps_its_pods(app, cluster, kubelet):
    first = await deploy(app, BUILD, cluster, silent)
    before = await cluster.get("Deployment", app.namespace, "blog-web-main")
    second = await deploy(app, BUILD, cluster, silent)
    after = await cluster.get("Deployment", app.namespace, "blog-web-main")
    assert second.phase("expand").note == "nothing to migrate"
    assert (second.number, second.template) == (2, first.template)
    assert after["metadata"]["generation"] == before["metadata"]["generation"]


async def test_services_outlive_every_release(app, cluster, kubelet):
    await deploy(app, BUILD, cluster, silent)
    names = [("StatefulSet", "blog-postgres"), ("Service", "blog-postgres"), ("PodDisruptionBudget", "blog-postgres")]
    before = [(await cluster.get(kind, app.namespace, name))["metadata"]["uid"] for kind, name in names]
    await deploy(app, BUILD, cluster, silent)
    await deploy(app, msgspec.structs.replace(BUILD, migrations={"posts": ["0002_more"]}), cluster, silent)
    assert [(await cluster.get(kind, app.namespace, name))["metadata"]["uid"] for kind, name in names] == before


async def test_a_failed_migration_ends_the_release_before_any_pod_and_the_next_one_tries_again(app, cluster, kubelet):
    kubelet.crash.add("migrate")
    with pytest.raises(ReleaseFailed):
        await deploy(app, BUILD, cluster, silent)
    assert await cluster.get("Deployment", app.namespace, "blog-web-main") is None
    (failed,) = await records.history(cluster, app.namespace, "blog", "local")
    assert (failed.record.outcome, failed.record.database) == (Outcome.FAILED, None)
    kubelet.crash.clear()
    assert (await deploy(app, BUILD, cluster, silent)).outcome is Outcome.LIVE


async def test_a_crash_loop_ends_the_release_early_and_a_rollback_brings_back_what_served(
    app, namespace, cluster, kubelet, tmp_path
):
    await deploy(app, BUILD, cluster, silent)
    kubelet.crash.add("web")
    broken = blog(namespace, tmp_path, orange="maroon")
    with pytest.raises(ReleaseFailed):
        await deploy(broken, BUILD, cluster, silent, manner=Manner(returns=False))
    kubelet.crash.clear()
    record = await rollback(app, None, cluster, silent)
    assert (record.number, record.restores, record.template) == (3, 1, 1)


@pytest.mark.parametrize("phase", ["services", "expand", "web", "exposure", "verify", "live", "prune"])
async def test_a_deploy_that_was_stopped_in_any_phase_goes_on_with_the_same_record(app, cluster, kubelet, phase):
    reached = asyncio.Event()

    def watch_for(event):
        if isinstance(event, Started) and event.title == phase:
            reached.set()

    stopped = asyncio.create_task(deploy(app, BUILD, cluster, watch_for))
    await reached.wait()
    stopped.cancel()
    await asyncio.gather(stopped, return_exceptions=True)
    record = await deploy(app, BUILD, cluster, silent)
    assert (record.number, record.outcome) == (1, Outcome.LIVE)
    jobs = await cluster.list("Job", app.namespace)
    assert len(jobs.items) == 1


async def test_a_release_of_something_else_overtakes_one_that_was_stopped(app, namespace, cluster, kubelet, tmp_path):
    reached = asyncio.Event()
    stopped = asyncio.create_task(
        deploy(app, BUILD, cluster, lambda event: reached.set() if getattr(event, "title", "") == "expand" else None)
    )
    await reached.wait()
    stopped.cancel()
    await asyncio.gather(stopped, return_exceptions=True)
    record = await deploy(blog(namespace, tmp_path, orange="maroon"), BUILD, cluster, silent)
    assert (record.number, record.outcome) == (2, Outcome.LIVE)
    history = await records.history(cluster, app.namespace, "blog", "local")
    assert [kept.record.outcome for kept in history] == [Outcome.LIVE, Outcome.ABANDONED]


async def test_no_secret_value_is_in_any_record(app, cluster, kubelet):
    await deploy(app, BUILD, cluster, silent)
    values = [
        base64.b64decode(value).decode()
        for secret in (await cluster.list("Secret", app.namespace)).items
        for key, value in secret["data"].items()
        if key != "user"  # who logs in is called as others are
    ]
    (config_map,) = [
        item
        for item in (await cluster.list("ConfigMap", app.namespace)).items
        if item["metadata"]["name"] == "blog-release-1"
    ]
    (kept,) = await records.history(cluster, app.namespace, "blog", "local")
    written = config_map["data"]["record"] + msgspec.json.encode(kept.manifest).decode()
    assert len(values) >= 4
    assert not [value for value in values if value in written]


async def test_secrets_are_generated_once_and_the_copy_changes_its_name_with_a_value(app, cluster):
    await secrets.ensure(app, cluster)
    first = await secrets.copy(app, cluster)
    await secrets.ensure(app, cluster)
    assert await secrets.copy(app, cluster) == first
    changed = {"data": {"SECRET_KEY": base64.b64encode(b"another").decode()}}
    await cluster.patch_merge("Secret", app.namespace, "blog-secrets", changed)
    assert await secrets.copy(app, cluster) != first
    assert (await cluster.get("Secret", app.namespace, first))["immutable"] is True


async def test_a_secret_without_a_value_is_refused_before_any_object_is_made(namespace, cluster, tmp_path):
    app = blog(
        namespace, tmp_path, **{"SECRET_KEY: {generate: true}": "SECRET_KEY: {generate: true}\n  SENTRY_DSN: {}"}
    )
    with pytest.raises(Refused) as refused:
        await deploy(app, BUILD, cluster, silent)
    assert [finding.place.path for finding in refused.value.findings] == ["secrets.SENTRY_DSN"]
    assert (await cluster.list("Deployment", namespace)).items == []


async def test_objects_of_somebody_else_are_refused_by_name(app, cluster):
    mine = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "blog-web-main", "namespace": app.namespace, "labels": {"app": "by-hand"}},
        "spec": {"ports": [{"port": 80}]},
    }
    await cluster.create(mine)
    with pytest.raises(NotOurs) as refused:
        await deploy(app, BUILD, cluster, silent)
    assert [finding.place.path for finding in refused.value.findings] == ["Service/blog-web-main"]
    assert (await cluster.list("Deployment", app.namespace)).items == []
    assert (await cluster.list("Secret", app.namespace)).items == []


async def test_replicas_set_by_hand_are_taken_back_and_any_other_field_is_refused_before_anything_is_touched(
    app, namespace, cluster, kubelet, tmp_path
):
    await deploy(app, BUILD, cluster, silent)
    scaled = {"spec": {"replicas": 5}}
    await by_hand(cluster, namespace, scaled)
    await deploy(blog(namespace, tmp_path, orange="maroon"), BUILD, cluster, silent)
    assert (await cluster.get("Deployment", namespace, "blog-web-main"))["spec"]["replicas"] == 3
    await by_hand(cluster, namespace, {"spec": {"revisionHistoryLimit": 1}})
    with pytest.raises(Refused) as refused:
        await deploy(app, BUILD, cluster, silent)
    assert "revisionHistoryLimit was set by hand (kubectl)" in refused.value.findings[0].message
    latest, *_ = await records.history(cluster, namespace, "blog", "local")
    assert (latest.record.number, latest.record.outcome) == (2, Outcome.LIVE)
    # Set back to what serves it is nobody's any more, though the cluster's book names who wrote last.
    await by_hand(cluster, namespace, {"spec": {"revisionHistoryLimit": 5}})
    await by_hand(cluster, namespace, container(image=BUILD.reference))
    changed = msgspec.structs.replace(BUILD, reference=BUILD.reference.replace("1" * 64, "2" * 64))
    assert (await deploy(app, changed, cluster, silent)).outcome is Outcome.LIVE


async def test_what_a_killed_deploy_applied_but_did_not_write_down_is_pruned(
    app, namespace, cluster, kubelet, tmp_path, monkeypatch
):
    await deploy(app, BUILD, cluster, silent)
    before = await environments(cluster, namespace)

    async def killed(*_):
        raise Unreachable("killed")

    with monkeypatch.context() as patched, pytest.raises(Unreachable):
        patched.setattr(records, "save", killed)
        await deploy(blog(namespace, tmp_path, orange="maroon"), BUILD, cluster, silent)
    assert len(await environments(cluster, namespace)) == 2
    await deploy(app, BUILD, cluster, silent)
    assert await environments(cluster, namespace) == before


async def environments(cluster, namespace):
    """The names of the immutable ConfigMaps that pods read."""
    names = [item["metadata"]["name"] for item in (await cluster.list("ConfigMap", namespace)).items]
    return [name for name in names if name.startswith("blog-env-")]


async def test_a_copy_of_secrets_goes_with_the_last_record_that_needs_it(app, namespace, cluster, kubelet, monkeypatch):
    first = await deploy(app, BUILD, cluster, silent)
    changed = {"data": {"SECRET_KEY": base64.b64encode(b"another").decode()}}
    await cluster.patch_merge("Secret", namespace, "blog-secrets", changed)
    await deploy(app, BUILD, cluster, silent)
    assert await cluster.get("Secret", namespace, first.secrets)
    monkeypatch.setattr(records, "KEPT", 0)
    await deploy(app, BUILD, cluster, silent)
    assert await cluster.get("Secret", namespace, first.secrets) is None
    assert await cluster.get("Secret", namespace, "blog-secrets")


async def test_a_volume_that_is_larger_than_the_spec_says_is_left_as_it_is(app, namespace, cluster, kubelet, tmp_path):
    larger = msgspec.structs.replace(app, media=msgspec.structs.replace(app.media, size="3Gi"))
    await deploy(larger, BUILD, cluster, silent)
    assert (await deploy(app, BUILD, cluster, silent)).outcome is Outcome.LIVE
    claim = await cluster.get("PersistentVolumeClaim", namespace, "blog-media")
    assert claim["spec"]["resources"]["requests"]["storage"] == "3Gi"


def container(**fields):
    return {"spec": {"template": {"spec": {"containers": [{"name": "web", **fields}]}}}}


async def by_hand(cluster, namespace, fields):
    """Change the Deployment as somebody with kubectl does: with another field manager."""
    live = await cluster.get("Deployment", namespace, "blog-web-main")
    patch = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": live["metadata"]["name"]}, **fields}
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/blog-web-main"
    await cluster._transport.send(
        "PATCH",
        path,
        Asked("patch", "Deployment"),
        parameters={"fieldManager": "kubectl", "force": "true"},
        body=msgspec.json.encode(patch),
        content_type="application/apply-patch+yaml",
    )
