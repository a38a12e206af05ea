"""What the control plane itself refuses, judged and explained from the states it shows."""

import socket
from datetime import UTC, datetime, timedelta

import pytest
from admission import asked, denying, refuses
from eventually import eventually

from nuages.errors import Rejected
from nuages.kube.watch import Mirror
from nuages.rollout.causes import refusal
from nuages.rollout.diagnosis import diagnose
from nuages.rollout.watcher import KINDS, QUOTA_PATIENCE, UNMADE, survey, suspicious

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


@pytest.fixture
def webhook(tmp_path):
    """An admission webhook that lets no pod in: its URL and the authority that signed it."""
    with denying(tmp_path) as found:
        yield found


async def refused(cluster, mirror, wanted):
    """Wait until the controller has told that it may not make the pods; the diagnosis."""
    mirror.saw(await cluster.apply(wanted))
    while True:
        seen = mirror.version
        live = mirror.get(wanted["kind"], wanted["metadata"]["name"])
        if any(one["type"] == "ReplicaFailure" for one in live.get("status", {}).get("conditions", ())):
            return await diagnose(cluster, mirror, wanted)
        assert await mirror.changed(60, since=seen)


async def test_pods_against_the_pod_security_level_fail_at_once(cluster, namespace, mirror):
    level = {"pod-security.kubernetes.io/enforce": "restricted"}
    await cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": level}})
    await eventually(lambda: refuses(cluster, namespace, "violates PodSecurity"))
    wanted = workload(namespace)
    found = await refused(cluster, mirror, wanted)
    assert found.id == "diag.D061"
    assert "violates PodSecurity" in found.lines[0]
    assert survey([wanted], mirror, datetime.now(UTC)).failed


async def small(cluster, namespace):
    """Leave no room for any pod: from when the API server itself knows of it."""
    metadata = {"name": "small", "namespace": namespace}
    await cluster.apply(
        {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": {"pods": "0"}}}
    )
    await eventually(lambda: refuses(cluster, namespace, "exceeded quota"))


async def test_a_used_up_quota_is_waited_for_and_explained(cluster, namespace, mirror):
    await small(cluster, namespace)
    wanted = workload(namespace)
    found = await refused(cluster, mirror, wanted)
    assert (found.id, found.object) == ("diag.D060", "Deployment blog-web")
    assert survey([wanted], mirror, datetime.now(UTC)).waiting


async def test_a_quota_that_nothing_frees_ends_the_wait(cluster, namespace, mirror):
    await small(cluster, namespace)
    wanted = workload(namespace)
    found = await refused(cluster, mirror, wanted)
    assert found.cause == "the quota small is used up: 0 of 0 pods used"
    later = datetime.now(UTC) + QUOTA_PATIENCE + timedelta(seconds=2)
    [(_, reason)] = survey([wanted], mirror, later).failed
    assert reason == f"its pods are refused: {found.cause}"


async def test_pods_that_an_admission_webhook_denies_fail_at_once_with_its_words(cluster, namespace, mirror, webhook):
    async with asked(cluster, namespace, *webhook) as name:
        wanted = workload(namespace)
        found = await refused(cluster, mirror, wanted)
        assert survey([wanted], mirror, datetime.now(UTC)).failed
    assert (found.id, found.cause) == ("diag.D063", f"the admission webhook {name} refuses it")
    assert found.lines[0].endswith("denied the request: only of acme")


async def test_a_webhook_that_is_away_is_named_and_waited_for(cluster, namespace, mirror, webhook):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # and nobody listens on it
        url = f"https://127.0.0.1:{closed.getsockname()[1]}/"
        async with asked(cluster, namespace, url, webhook[1]) as name:
            wanted = workload(namespace)
            found = await refused(cluster, mirror, wanted)
            assert survey([wanted], mirror, datetime.now(UTC)).waiting
    assert (found.id, found.cause) == ("diag.D064", f"the admission webhook {name} does not answer")


async def test_an_admission_policy_is_named(cluster, namespace, mirror):
    api, name = "admissionregistration.k8s.io/v1", f"{namespace}.example.com"
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    spec = {
        "matchConstraints": {
            "resourceRules": [rule],
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        },
        "validations": [{"expression": "has(object.metadata.labels.team)", "message": "say whose it is"}],
    }
    policy = {"apiVersion": api, "kind": "ValidatingAdmissionPolicy", "metadata": {"name": name}, "spec": spec}
    bound = {"policyName": name, "validationActions": ["Deny"]}
    binding = {"apiVersion": api, "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": name}, "spec": bound}
    await cluster.apply(policy)
    await cluster.apply(binding)
    try:
        await eventually(lambda: refuses(cluster, namespace))
        found = await refused(cluster, mirror, workload(namespace))
    finally:
        await cluster.delete(binding["kind"], None, name)
        await cluster.delete(policy["kind"], None, name)
    assert (found.id, found.cause) == ("diag.D063", f"the admission policy {name} refuses it")
    assert found.lines[0].endswith("denied request: say whose it is")


async def test_what_the_api_server_refuses_at_once_is_explained_by_the_same_words(cluster, namespace):
    await small(cluster, namespace)
    pod = workload(namespace)["spec"]["template"]
    metadata = {**pod["metadata"], "name": "one", "namespace": namespace}
    with pytest.raises(Rejected) as error:
        await cluster.create({"apiVersion": "v1", "kind": "Pod", **pod, "metadata": metadata})
    assert refusal(error.value.message).id == "diag.D060"


async def test_a_job_without_its_service_account_is_explained_by_its_events(cluster, namespace, mirror):
    wanted = workload(namespace, "Job", serviceAccountName="absent")
    mirror.saw(await cluster.apply(wanted))
    async with Mirror(cluster, namespace, ["Event"]) as events:
        while True:
            seen = events.version
            if any(event["reason"] == "FailedCreate" for event in events.items("Event")):
                break
            assert await events.changed(60, since=seen)
    found = await diagnose(cluster, mirror, wanted)
    assert (found.id, found.cause) == ("diag.D065", "there is no ServiceAccount absent")
    assert suspicious(wanted, mirror, datetime.now(UTC) + UNMADE + timedelta(seconds=1))


async def test_what_is_under_way_and_well_is_waited_for(cluster, namespace, mirror):
    wanted = workload(namespace)
    mirror.saw(await cluster.apply(wanted))
    found = survey([wanted], mirror, datetime.now(UTC))
    assert found.waiting
    assert not found.failed
