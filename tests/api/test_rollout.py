"""What the control plane itself refuses, judged and explained from the states it shows."""

from datetime import UTC, datetime

import pytest

from nuages.kube.watch import Mirror
from nuages.rollout.diagnosis import diagnose
from nuages.rollout.watcher import KINDS, survey

LABELS = {"app.kubernetes.io/instance": "blog-local"}


def workload(namespace, kind="Deployment", **pod):
    container = {"name": "web", "image": "registry.example.com/web:1"}
    template = {"metadata": {"labels": LABELS}, "spec": {"containers": [container], **pod}}
    spec = {"replicas": 1, "selector": {"matchLabels": LABELS}, "template": template}
    if kind == "Job":
        template["spec"]["restartPolicy"] = "Never"
        spec = {"backoffLimit": 0, "template": template}
    return {
        "apiVersion": {"Deployment": "apps/v1", "Job": "batch/v1"}[kind],
        "kind": kind,
        "metadata": {"name": "blog-web", "namespace": namespace, "labels": LABELS},
        "spec": spec,
    }


@pytest.fixture
async def mirror(cluster, namespace):
    async with Mirror(cluster, namespace, KINDS, LABELS) as view:
        yield view


async def refused(cluster, mirror, wanted):
    """Wait until the controller has told that it may not make the pods; the diagnosis."""
    mirror.saw(await cluster.apply(wanted))
    while True:
        seen = mirror.version
        live = mirror.get(wanted["kind"], wanted["metadata"]["name"])
        if any(one["type"] == "ReplicaFailure" for one in live.get("status", {}).get("conditions", ())):
            return await diagnose(cluster, mirror, wanted)
        assert await mirror.changed(20, since=seen)


async def test_pods_against_the_pod_security_level_fail_at_once(cluster, namespace, mirror):
    level = {"pod-security.kubernetes.io/enforce": "restricted"}
    await cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": level}})
    wanted = workload(namespace)
    found = await refused(cluster, mirror, wanted)
    assert found.id == "diag.D061"
    assert "violates PodSecurity" in found.lines[0]
    assert survey([wanted], mirror, datetime.now(UTC)).failed


async def test_a_used_up_quota_is_waited_for_and_explained(cluster, namespace, mirror):
    metadata = {"name": "small", "namespace": namespace}
    await cluster.apply(
        {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": {"pods": "0"}}}
    )
    async with Mirror(cluster, namespace, ["ResourceQuota"]) as quotas:
        while "hard" not in quotas.get("ResourceQuota", "small").get("status", {}):
            assert await quotas.changed(20)
    wanted = workload(namespace)
    found = await refused(cluster, mirror, wanted)
    assert (found.id, found.object) == ("diag.D060", "Deployment blog-web")
    assert survey([wanted], mirror, datetime.now(UTC)).waiting


async def test_a_job_without_its_service_account_is_explained_by_its_events(cluster, namespace, mirror):
    wanted = workload(namespace, "Job", serviceAccountName="absent")
    mirror.saw(await cluster.apply(wanted))
    async with Mirror(cluster, namespace, ["Event"]) as events:
        while not any(event["reason"] == "FailedCreate" for event in events.items("Event")):
            assert await events.changed(20)
    found = await diagnose(cluster, mirror, wanted)
    assert found.id == "diag.D062"
    assert 'serviceaccount "absent" not found' in found.lines[0]


async def test_what_is_under_way_and_well_is_waited_for(cluster, namespace, mirror):
    wanted = workload(namespace)
    mirror.saw(await cluster.apply(wanted))
    found = survey([wanted], mirror, datetime.now(UTC))
    assert found.waiting
    assert not found.failed
