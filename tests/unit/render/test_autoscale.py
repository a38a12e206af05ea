"""What scales webs and workers, and what a Deployment says that has no replicas."""

from __future__ import annotations

import pytest

from nuages.app.brokers import broker
from nuages.render.autoscale import most, paused, pods, scaler
from nuages.render.canary import sized
from nuages.render.manifest import render

from .blog import SPEC, blog, release

pytestmark = pytest.mark.unit
WEB = "  main: {replicas: 3,"
SCALED = SPEC.replace(
    WEB, "  main: {replicas: 3, autoscale: {min: 2, max: 6, cpu: 70, requestsPerSecond: 20},"
).replace("storage: 1Gi}}}", "storage: 1Gi, resources: {memory: 4Gi}}}}")
QUEUED = SPEC.replace(
    "services: {",
    "workers: {w: {celery: {app: blog, queues: [a, b]}, autoscale: {min: 0, max: 4, queueLength: 9, cpu: 80}}}\n"
    "services: {STORE: {run: {}}, ",
)


def kinds(items):
    return {item["kind"]: item for item in items}


def test_a_scaled_web_names_no_replicas_and_says_by_what_it_is_scaled():
    made = kinds(render(blog(spec=SCALED), release()).web)
    assert "replicas" not in made["Deployment"]["spec"]
    assert scaler(made["Deployment"]) == "HorizontalPodAutoscaler"
    assert (pods(made["Deployment"]), most(made["Deployment"])) == (3, 6)
    spec = made["HorizontalPodAutoscaler"]["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (2, 6)
    assert spec["metrics"][0]["containerResource"]["container"] == "web"
    assert spec["metrics"][1]["pods"]["metric"]["name"] == "nuages_http_requests_per_second"


def test_one_with_a_fixed_number_is_as_it_was():
    made = kinds(render(blog(), release()).web)
    assert (pods(made["Deployment"]), scaler(made["Deployment"])) == (3, "")
    assert "HorizontalPodAutoscaler" not in made


def test_a_queue_is_measured_by_keda_with_what_the_broker_is_opened_by():
    app = blog(spec=QUEUED.replace("STORE", "redis"))
    made = kinds(render(app, release()).workers)
    first, second, cpu = made["ScaledObject"]["spec"]["triggers"]
    assert first["metadata"]["address"] == "blog-redis.blog-local.svc:6379"
    assert (first["metadata"]["listName"], second["metadata"]["listName"]) == ("a", "b")
    assert first["metadata"]["databaseIndex"] == "1"
    assert cpu["type"] == "cpu"
    assert made["TriggerAuthentication"]["spec"]["secretTargetRef"][0]["name"] == "blog-redis"
    assert made["ScaledObject"]["spec"]["minReplicaCount"] == 0
    assert pods(made["Deployment"]) == 1, "a release shows that one starts"
    assert paused(made["ScaledObject"])["metadata"]["annotations"] == {"autoscaling.keda.sh/paused-replicas": "0"}


def test_rabbitmq_is_the_broker_where_both_are_there():
    app = blog(spec=QUEUED.replace("STORE: {run: {}}", "redis: {run: {}}, rabbitmq: {run: {}}"))
    assert broker(app).service == "rabbitmq"
    made = kinds(render(app, release()).workers)
    trigger = made["ScaledObject"]["spec"]["triggers"][0]
    assert (trigger["type"], trigger["metadata"]["mode"]) == ("rabbitmq", "QueueLength")
    asked = made["TriggerAuthentication"]["spec"]["secretTargetRef"]
    assert [one["parameter"] for one in asked] == ["username", "password"], "KEDA takes both or none"


def test_the_budget_counts_with_the_most_that_there_may_be():
    web = blog(spec=SCALED).web["main"]
    assert (web.replicas, web.most, web.surge) == (3, 6, 2)
    assert web.connections == (6 + 2) * 4
    assert blog(spec=SCALED + "pool: {size: 2}\n").web["main"].connections == (6 + 2) * 2


@pytest.mark.parametrize(("percent", "kind", "whole", "expected"), [(50, "gateway", 8, 4), (100, "service", 8, 8)])
def test_a_set_beside_is_sized_by_what_serves_now(percent, kind, whole, expected):
    made = render(blog(spec=SCALED), release(canary="blue-green", running=1)).canary
    assert {item["kind"] for item in made} == {"Deployment", "Service", "PodDisruptionBudget"}
    deployment = kinds(made)["Deployment"]
    deployment["metadata"]["annotations"].pop("nuages.dev/most", None)
    assert sized(deployment, percent, kind, whole)["spec"]["replicas"] == expected
