"""The number of pods, handed to what scales them and taken back: an autoscaler's work survives every release."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import keda
import msgspec
import pytest
import test_workers
from test_release import BUILD, blog

from nuages.errors import Rejected
from nuages.progress import silent
from nuages.release import engine, records, scaling
from nuages.release.back.rollback import rollback
from nuages.release.deploy import deploy
from nuages.release.manner import Manner
from nuages.release.phases import verify
from nuages.release.plan import objects
from nuages.release.trials.promotion import promote
from nuages.render.autoscale import TRANSFER
from nuages.render.manifest import render
from nuages.render.release import Release

pytestmark = pytest.mark.api
WEB = "blog-web-main"
WORKER = "blog-worker-default"
ROOM = {"storage: 1Gi}": "storage: 1Gi, resources: {memory: 2Gi}}"}
SCALED = ROOM | {
    "expose: {kind: loadBalancer": "canary: {pause: 0s}\nexpose: {kind: loadBalancer",
    "    replicas: 3\n": "    replicas: 2\n    autoscale: {min: 2, max: 6, cpu: 70}\n",
}
NEXT = msgspec.structs.replace(BUILD, reference="registry.example.com/acme/blog@sha256:" + "2" * 64)


@pytest.fixture(autouse=True)
def _nobody_answers(monkeypatch):
    monkeypatch.setattr(verify, "VERIFY", timedelta(0))
    monkeypatch.setattr(engine, "PATIENCE", 0)


@pytest.fixture
def fixed(namespace, tmp_path):
    return blog(namespace, tmp_path, **ROOM)


@pytest.fixture
def scaled(namespace, tmp_path):
    return blog(namespace, tmp_path, **SCALED)


async def replicas(cluster, namespace, name=WEB):
    return (await cluster.get("Deployment", namespace, name))["spec"]["replicas"]


async def owners(cluster, namespace):
    live = await cluster.get("Deployment", namespace, WEB)
    return {
        entry["manager"]
        for entry in live["metadata"]["managedFields"]
        if "f:replicas" in entry["fieldsV1"].get("f:spec", {}) and entry.get("subresource") != "status"
    }


async def scale(cluster, namespace, number):
    """As the autoscaler does: through the Deployment's scale."""
    from nuages.kube.failures import Asked

    await cluster._transport.send(
        "PATCH",
        f"/apis/apps/v1/namespaces/{namespace}/deployments/{WEB}/scale",
        Asked("scale", WEB),
        parameters={"fieldManager": "kube-controller-manager"},
        body=msgspec.json.encode({"spec": {"replicas": number}}),
        content_type="application/merge-patch+json",
    )


async def test_a_release_begins_with_the_least_and_leaves_what_the_autoscaler_made_of_it(
    scaled, namespace, cluster, kubelet
):
    await deploy(scaled, BUILD, cluster, silent)
    assert await replicas(cluster, namespace) == 2
    assert await cluster.get("HorizontalPodAutoscaler", namespace, WEB)
    assert "nuages" not in await owners(cluster, namespace)
    await scale(cluster, namespace, 5)
    await deploy(scaled, NEXT, cluster, silent)
    assert await replicas(cluster, namespace) == 5
    assert await owners(cluster, namespace) == {"kube-controller-manager"}


async def test_from_a_fixed_number_to_an_autoscaler_and_back_no_pod_is_lost_in_between(
    fixed, scaled, namespace, cluster, kubelet
):
    await deploy(fixed, BUILD, cluster, silent)
    await scale(cluster, namespace, 4)
    history = await records.history(cluster, namespace, "blog", "local")
    manifest = render(scaled, Release(number=2, template=1, build=BUILD))
    found = await objects.look(manifest, scaled.instance, cluster, str, namespace=True, serving=history[0])
    (change,) = [one.change for one in found if (one.change.kind, one.change.name) == ("Deployment", WEB)]
    assert "spec.replicas" not in [field.path for field in change.fields], "the plan takes no pod away"
    await deploy(scaled, BUILD, cluster, silent)
    assert await replicas(cluster, namespace) == 4
    said = []
    await deploy(fixed, BUILD, cluster, said.append)
    assert await cluster.get("HorizontalPodAutoscaler", namespace, WEB) is None
    assert await replicas(cluster, namespace) == fixed.web["main"].replicas
    assert not [one for one in said if "set by hand" in str(one)]


async def test_a_rollback_to_a_release_that_scaled_hands_the_number_over_again(
    fixed, scaled, namespace, cluster, kubelet
):
    await deploy(scaled, BUILD, cluster, silent)
    await scale(cluster, namespace, 6)
    await deploy(fixed, NEXT, cluster, silent)
    await rollback(fixed, 1, cluster, silent, anyway=True)
    assert await cluster.get("HorizontalPodAutoscaler", namespace, WEB)
    assert await replicas(cluster, namespace) == 3, "as many as there were"
    assert "nuages" not in await owners(cluster, namespace)


async def test_after_a_maintenance_there_are_pods_again_and_the_autoscaler_goes_on(scaled, namespace, cluster, kubelet):
    await deploy(scaled, BUILD, cluster, silent)
    await deploy(scaled, NEXT, cluster, silent, manner=Manner(maintenance=True))
    assert await replicas(cluster, namespace) == 2
    assert "nuages" not in await owners(cluster, namespace)


@pytest.mark.parametrize("kind", ["canary", "blue-green"])
async def test_a_set_beside_has_the_pods_that_the_load_takes_now(kind, scaled, namespace, cluster, kubelet):
    await deploy(scaled, BUILD, cluster, silent)
    await scale(cluster, namespace, 4)
    manner = Manner(kind=kind, percent=50 if kind == "canary" else None)
    record = await deploy(scaled, NEXT, cluster, silent, manner=manner)
    suffix = {"canary": "canary", "blue-green": "green"}[kind]
    assert await replicas(cluster, namespace, f"{WEB}-{suffix}") == 4
    assert await cluster.get("HorizontalPodAutoscaler", namespace, f"{WEB}-{suffix}") is None
    await scale(cluster, namespace, 2)  # nothing to do any more
    await promote(scaled, cluster, silent, whole=True)
    assert record.number == 2
    assert await replicas(cluster, namespace) == 6, "it takes over what both answered, as far as it may"


@pytest.fixture
def by(namespace, tmp_path):
    """A site whose worker is scaled so."""

    def made(scale):
        replaced = {"replicas: 2": f"replicas: 2, autoscale: {{min: 2, max: 3, {scale}}}"}
        return test_workers.blog(namespace, tmp_path, **replaced)

    return made


async def test_from_an_autoscaler_to_keda_and_back_one_of_them_scales(by, namespace, cluster, kubelet):
    await keda.installed(cluster)
    for scale in ("cpu: 70", "queueLength: 5", "cpu: 70", "queueLength: 5, cpu: 70"):
        await deploy(by(scale), test_workers.BUILD, cluster, silent)
        there = [await cluster.get(kind, namespace, WORKER) for kind in ("HorizontalPodAutoscaler", "ScaledObject")]
        assert [bool(one) for one in there] == [scale == "cpu: 70", scale != "cpu: 70"]
        assert await replicas(cluster, namespace, WORKER) == 2


async def test_beside_the_autoscaler_that_it_succeeds_a_scaled_object_is_tried_as_keda_takes_it(
    by, namespace, cluster, kubelet
):
    await keda.installed(cluster)
    await deploy(by("cpu: 70"), test_workers.BUILD, cluster, silent)
    app = by("queueLength: 5")
    manifest = render(app, Release(number=2, template=1, build=test_workers.BUILD))

    async def what_is_tried():
        found = await objects.look(manifest, app.instance, cluster, str, namespace=True)
        (one,) = [one.after for one in found if one.change.kind == "ScaledObject"]
        return one

    tried = await what_is_tried()
    assert tried["metadata"]["annotations"][TRANSFER] == "true"
    assert tried["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["name"] == WORKER
    await cluster.delete("HorizontalPodAutoscaler", namespace, WORKER)
    tried = await what_is_tried()
    assert TRANSFER not in tried["metadata"].get("annotations", {})


async def test_what_keda_refuses_beside_an_autoscaler_that_goes_is_applied_once_it_has(by, namespace, cluster):
    await keda.installed(cluster)
    manifest = render(by("queueLength: 5"), Release(number=1, template=1, build=test_workers.BUILD))
    (wanted,) = [item for item in manifest.workers if item["kind"] == "ScaledObject"]

    class Unlocked:
        async def check(self):
            """Nobody else is at work."""

    world = SimpleNamespace(cluster=cluster, lock=Unlocked())
    said = "cannot apply: the workload is already managed by the hpa 'x'"
    applied = await scaling.succeed(wanted, Rejected(said), world)
    assert applied["metadata"]["uid"]
    with pytest.raises(Rejected, match="minReplicaCount"):
        await scaling.succeed(wanted, Rejected("minReplicaCount is too high"), world)
