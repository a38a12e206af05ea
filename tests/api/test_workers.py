"""Workers and beat in a release, against a real API server with its controllers."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import msgspec
import pytest

from nuages.app.build import Build
from nuages.app.components import resolve
from nuages.errors import Refused, ReleaseFailed
from nuages.progress import Started, silent
from nuages.release import engine, records, secrets
from nuages.release.back.rollback import rollback
from nuages.release.deploy import deploy
from nuages.release.destroy import contents, destroy
from nuages.release.manner import Manner
from nuages.release.phases import verify
from nuages.release.status import status
from nuages.spec.load import load

pytestmark = pytest.mark.api
SPEC = """
apiVersion: nuages/v1
name: blog
image: registry.example.com/acme/blog
web: {main: {}}
workers:
  default: {celery: {app: blog}, replicas: 2}
beat: {celery: {app: blog}}
services: {redis: {run: {}}}
environments: {local: {namespace: NAMESPACE}}
"""
BUILD = Build(
    reference="registry.example.com/acme/blog@sha256:" + "1" * 64,
    wsgi="blog.wsgi:application",
    settings="blog.settings",
)


@pytest.fixture
def app(namespace, tmp_path):
    return blog(namespace, tmp_path)


def blog(namespace, folder, **replaced):
    text = SPEC.replace("NAMESPACE", namespace)
    for old, new in replaced.items():
        assert old in text
        text = text.replace(old, new)
    path = folder / "nuages.yaml"
    path.write_text(text)
    return resolve(load(path), "local")


@pytest.fixture(autouse=True)
def _nobody_answers(monkeypatch):
    monkeypatch.setattr(verify, "VERIFY", timedelta(0))
    monkeypatch.setattr(engine, "PATIENCE", 0)


FORTH = ["services", "expand", "workers", "web", "beat", "verify", "live", "prune"]
BACK = frozenset(FORTH)


async def test_workers_go_before_the_web_and_beat_after_it_and_back_the_other_way_round(app, cluster, kubelet):
    seen = []

    def sink(event):
        if isinstance(event, Started):
            seen.append(event.title)

    await deploy(app, BUILD, cluster, sink)
    assert seen[1:] == FORTH
    await deploy(app, BUILD, cluster, silent)
    seen.clear()
    await rollback(app, None, cluster, sink)
    assert [phase for phase in seen if phase in BACK] == [
        "services",
        "expand",
        "beat",
        "web",
        "workers",
        "verify",
        "live",
        "prune",
    ]


@pytest.mark.parametrize("phase", ["workers", "beat"])
async def test_a_deploy_that_was_stopped_between_its_components_goes_on_with_the_same_record(
    app, cluster, kubelet, phase
):
    reached = asyncio.Event()
    stopped = asyncio.create_task(
        deploy(app, BUILD, cluster, lambda event: reached.set() if getattr(event, "title", "") == phase else None)
    )
    await reached.wait()
    stopped.cancel()
    await asyncio.gather(stopped, return_exceptions=True)
    record = await deploy(app, BUILD, cluster, silent)
    assert record.number == 1
    assert [passed.phase for passed in record.passed] == FORTH


async def test_redis_has_a_password_of_its_own_that_no_release_changes(app, cluster, kubelet):
    await deploy(app, BUILD, cluster, silent)
    first = secrets.decoded(await cluster.get("Secret", app.namespace, "blog-redis"))
    assert len(first["password"]) > 30
    await deploy(app, BUILD, cluster, silent)
    assert secrets.decoded(await cluster.get("Secret", app.namespace, "blog-redis")) == first


async def test_a_worker_that_crashes_ends_the_release_before_the_web_and_the_cure_is_said(app, cluster, kubelet):
    await deploy(app, BUILD, cluster, silent)
    before = await cluster.get("Deployment", app.namespace, "blog-web-main")
    kubelet.crash.add("worker")
    other = Build(reference=BUILD.reference.replace("1" * 64, "2" * 64), wsgi=BUILD.wsgi, settings=BUILD.settings)
    with pytest.raises(ReleaseFailed) as caught:
        await deploy(app, other, cluster, silent)
    assert "blog-worker-default" in caught.value.detail
    assert "nuages rollback" in caught.value.hint
    after = await cluster.get("Deployment", app.namespace, "blog-web-main")
    assert after["spec"] == before["spec"]


async def test_what_fails_behind_the_web_says_that_the_new_web_serves_and_how_the_old_one_comes_back(
    app, cluster, kubelet
):
    await deploy(app, BUILD, cluster, silent)
    kubelet.crash.add("beat")
    other = Build(reference=BUILD.reference.replace("1" * 64, "2" * 64), wsgi=BUILD.wsgi, settings=BUILD.settings)
    with pytest.raises(ReleaseFailed, match="its web serves already; nuages rollback brings release 1 back"):
        await deploy(app, other, cluster, silent, manner=Manner(returns=False))
    kubelet.crash.clear()
    record = await rollback(app, None, cluster, silent)
    assert (record.restores, record.template) == (1, 1)
    beat = await cluster.get("StatefulSet", app.namespace, "blog-beat")
    assert beat["spec"]["template"]["spec"]["containers"][0]["image"] == BUILD.reference


async def test_a_worker_that_the_spec_no_longer_names_is_removed(app, cluster, kubelet, namespace, tmp_path):
    await deploy(app, BUILD, cluster, silent)
    assert await cluster.get("Deployment", namespace, "blog-worker-default")
    other = blog(namespace, tmp_path, default="other", **{"beat: {celery: {app: blog}}\n": ""})
    await deploy(other, BUILD, cluster, silent)
    assert await cluster.get("Deployment", namespace, "blog-worker-default") is None
    assert await cluster.get("StatefulSet", namespace, "blog-beat") is None
    assert await cluster.get("Deployment", namespace, "blog-worker-other")
    assert await cluster.get("StatefulSet", namespace, "blog-redis")


async def test_a_redis_that_was_made_as_a_cache_is_not_taken_for_tasks(app, cluster, kubelet, namespace, tmp_path):
    served = "workers:\n  default: {celery: {app: blog}, replicas: 2}\nbeat: {celery: {app: blog}}\n"
    await deploy(blog(namespace, tmp_path, **{served: ""}), BUILD, cluster, silent)
    with pytest.raises(Refused) as caught:
        await deploy(app, BUILD, cluster, silent)
    assert [finding.id for finding in caught.value.findings] == ["release.E321"]
    assert len(await records.history(cluster, namespace, "blog", "local")) == 1
    await cluster.delete("StatefulSet", namespace, "blog-redis")
    await deploy(app, BUILD, cluster, silent)
    redis = await cluster.get("StatefulSet", namespace, "blog-redis")
    assert "volatile-lru" in redis["spec"]["template"]["spec"]["containers"][0]["args"]


async def test_a_data_store_that_stays_as_it_was_made_is_named(app, cluster, kubelet, namespace, tmp_path):
    assert "stays" not in (await deploy(app, BUILD, cluster, silent)).phase("services").note
    larger = blog(namespace, tmp_path, **{"redis: {run: {}}": "redis: {run: {resources: {memory: 512Mi}}}"})
    record = await deploy(larger, BUILD, cluster, silent)
    assert "blog-redis stays as it was made, though its args would now be others" in record.phase("services").note


async def test_a_volume_keeps_its_access_mode_and_the_way_out_is_said(app, cluster, kubelet, namespace, tmp_path):
    def with_folder(mode):
        folder = f"volumes: {{data: {{path: data, accessMode: {mode}}}}}\nenvironments"
        one = "workers:\n  default: {celery: {app: blog}, replicas: 2}\nbeat: {celery: {app: blog}}\n"
        return blog(namespace, tmp_path, environments=folder, **{one: ""})

    await deploy(with_folder("ReadWriteMany"), BUILD, cluster, silent)
    with pytest.raises(Refused) as caught:
        await deploy(with_folder("ReadWriteOnce"), BUILD, cluster, silent)
    (finding,) = caught.value.findings
    assert finding.id == "release.E320"
    assert "ReadWriteMany, which can't become ReadWriteOnce" in finding.message


async def test_another_folder_or_another_secret_may_hold_another_database_and_is_migrated(
    cluster, kubelet, namespace, tmp_path
):
    sqlite = msgspec.structs.replace(BUILD, engines={"default": "sqlite"}, migrations={"posts": ["0001_initial"]})
    none = {"services: {redis: {run: {}}}": "", "workers:\n  default: {celery: {app: blog}, replicas: 2}\n": ""}
    none["beat: {celery: {app: blog}}"] = ""

    async def migrated(more):
        one = blog(namespace, tmp_path, environments=more + "environments", **none)
        note = (await deploy(one, sqlite, cluster, silent)).phase("expand").note
        return note != "nothing to migrate"

    folder = "volumes: {data: {path: data}}\n"
    assert [await migrated(folder), await migrated(folder)] == [True, False]
    assert await migrated(folder.replace("data:", "other:", 1))
    assert await migrated(folder.replace("data:", "other:", 1) + "env: {DATABASE: data/two.sqlite3}\n")


async def test_the_status_names_each_component_the_web_first(app, cluster, kubelet):
    await deploy(app, BUILD, cluster, silent)
    found = await status(app, cluster)
    told = [(part.component, part.key, part.name, part.ready, part.wanted) for part in found.components]
    assert told == [
        ("web", "main", "blog-web-main", 1, 1),
        ("worker", "default", "blog-worker-default", 2, 2),
        ("beat", "", "blog-beat", 1, 1),
        ("redis", "", "blog-redis", 1, 1),
    ]


async def test_nothing_of_workers_and_beat_is_left_after_destroy(app, cluster, kubelet):
    await deploy(app, BUILD, cluster, silent)
    pod = {"name": "blog-run-abcde", "namespace": app.namespace}
    web = (await cluster.list("Pod", app.namespace, labels={"app.kubernetes.io/component": "web"})).items[0]
    pod["labels"] = web["metadata"]["labels"] | {"app.kubernetes.io/component": "run"}
    await cluster.create({"apiVersion": "v1", "kind": "Pod", "metadata": pod, "spec": {"containers": [
        {"name": "run", "image": "x"}]}})  # fmt: skip
    remade, _ = await contents(app, cluster)
    assert "blog-run-abcde" in {item["metadata"]["name"] for item in remade}
    await destroy(app, cluster, silent, data=False)
    for kind in ("Deployment", "StatefulSet", "Pod"):
        assert (await cluster.list(kind, app.namespace)).items == []
