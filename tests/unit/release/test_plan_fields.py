"""Two states of an object compared: only declared fields, items of lists by their key, nothing secret."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from nuages.release.plan.drift import drift
from nuages.release.plan.fields import changed, fields, managed, shown, written
from nuages.release.plan.shape import Outcome

pytestmark = pytest.mark.unit


def same(text: str) -> str:
    return text


def deployment(*env, image="blog@sha256:1", replicas=3, managers=(), **extra):
    container = {"name": "web", "image": image, "env": [{"name": name, "value": value} for name, value in env]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "blog-web-main", "namespace": "blog", "managedFields": list(managers)},
        "spec": {"replicas": replicas, "template": {"spec": {"containers": [container | extra]}}},
    }


def entry(manager, tree, subresource="", time="2026-11-21T14:02:00Z"):
    made = {"manager": manager, "operation": "Update", "time": time, "fieldsV1": tree}
    return made | ({"subresource": subresource} if subresource else {})


def container(tree):
    return {"f:spec": {"f:template": {"f:spec": {"f:containers": {'k:{"name":"web"}': {".": {}, **tree}}}}}}


def names(found):
    return [written(path) for path, _, _ in found]


def test_a_field_is_known_by_the_keys_of_the_lists_that_it_is_in() -> None:
    found = {written(path): value for path, value in fields(deployment(("COLOR", "orange"))).items()}
    assert found["spec.template.spec.containers[web].env[COLOR].value"] == "orange"
    assert "spec.template.spec.containers[web].name" not in found


def test_what_the_server_keeps_for_itself_is_no_field() -> None:
    item = {"metadata": {"name": "x", "uid": "1", "resourceVersion": "2", "generation": 3}, "status": {"ready": 1}}
    assert list(fields(item)) == [("metadata", "name")]


def test_a_list_without_keys_is_one_value() -> None:
    found = fields({"spec": {"args": ["a", "b"], "rules": [{"host": "x"}, {"host": "y"}]}})
    assert found == {("spec", "args"): ["a", "b"], ("spec", "rules"): [{"host": "x"}, {"host": "y"}]}


def test_only_what_is_declared_is_compared() -> None:
    live = deployment(("COLOR", "orange"), terminationMessagePath="/dev/termination-log")
    after = deployment(("COLOR", "maroon"), terminationMessagePath="/dev/other")
    wanted = deployment(("COLOR", "maroon"))
    assert names(changed(live, after, wanted, "nuages")) == ["spec.template.spec.containers[web].env[COLOR].value"]


def test_what_was_declared_before_and_is_not_any_more_goes() -> None:
    ours = entry("nuages", container({"f:env": {'k:{"name":"OLD"}': {".": {}, "f:name": {}, "f:value": {}}}}))
    live = deployment(("OLD", "1"), ("THEIRS", "2"), managers=[ours])
    after = deployment(("THEIRS", "2"))
    found = changed(live, after, deployment(), "nuages")
    assert names(found) == ["spec.template.spec.containers[web].env[OLD].value"]
    assert found[0][1:] == ("1", None)


def test_the_book_of_fields_is_read_in_the_same_words() -> None:
    tree = {"f:ports": {'k:{"containerPort":8000,"protocol":"TCP"}': {"f:name": {}}}, "f:finalizers": {'v:"x"': {}}}
    assert [written(path) for path in managed(tree)] == ["ports[8000].name", 'finalizers["x"]']


@pytest.mark.parametrize(
    ("kind", "path", "value", "said"),
    [
        ("Secret", ("data", "password"), "aHVudGVyMg==", "***"),
        ("Deployment", ("spec", "containers", "[web]", "env", "[STRIPE_API_KEY]", "value"), "sk_live", "***"),
        ("Deployment", ("spec", "containers", "[web]", "env", "[COLOR]", "value"), "orange", "orange"),
        (
            "Deployment",
            ("spec", "containers", "[web]", "env", "[DATABASE_URL]", "value"),
            "postgres://u:hunter2@db/x",
            "postgres://u:***@db/x",
        ),
        ("ConfigMap", ("data", "SENTRY_DSN"), "https://x@y/1", "***"),
        ("ConfigMap", ("data", "CACHE_URL"), "redis://:hunter2@c/0", "redis://:***@c/0"),
        ("StatefulSet", ("spec", "args"), ["--requirepass", "hunter2"], '["--requirepass","***"]'),
        ("StatefulSet", ("spec", "args"), ["--password", "$(PASSWORD)"], '["--password","$(PASSWORD)"]'),
        ("Service", ("metadata", "annotations", "proxy"), "http://u:hunter2@p", "http://u:***@p"),
        ("Deployment", ("spec", "replicas"), 3, "3"),
    ],
)
def test_nothing_secret_is_in_what_is_shown(kind, path, value, said) -> None:
    assert shown(kind, path, value, None, same).before == said


def test_replicas_that_were_set_by_hand_are_taken_back() -> None:
    live = deployment(replicas=5, managers=[entry("kubectl", {"f:spec": {"f:replicas": {}}}, "scale")])
    (found,) = drift(live, deployment(replicas=3), deployment(replicas=3), same)
    assert (found.outcome, found.live, found.wanted, found.manager) == (Outcome.TAKEN_BACK, "5", "3", "kubectl")
    assert found.at == datetime(2026, 11, 21, 14, 2, tzinfo=UTC)


def test_any_other_declared_field_that_was_set_by_hand_blocks() -> None:
    live = deployment(image="blog@sha256:9", managers=[entry("kubectl-edit", container({"f:image": {}}))])
    (found,) = drift(live, deployment(), deployment(), same)
    assert (found.outcome, found.live, found.wanted) == (Outcome.BLOCKS, "blog@sha256:9", "blog@sha256:1")


def test_a_field_that_was_set_back_to_what_serves_loses_nobodys_change() -> None:
    live = deployment(image="blog@sha256:7", managers=[entry("kubectl-edit", container({"f:image": {}}))])
    (found,) = drift(live, deployment(), deployment(), same, deployment(image="blog@sha256:7"))
    assert found.outcome is Outcome.GIVEN_BACK


def test_a_field_that_somebody_set_to_what_is_wanted_is_no_drift() -> None:
    live = deployment(managers=[entry("kubectl-edit", container({"f:image": {}}))])
    assert drift(live, deployment(), deployment(), same) == []


def test_what_nuages_does_not_declare_is_left_alone_and_told() -> None:
    tree = container({"f:env": {'k:{"name":"DEBUG"}': {".": {}, "f:name": {}, "f:value": {}}}})
    live = deployment(("DEBUG", "1"), managers=[entry("kubectl-set", tree)])
    (found,) = drift(live, live, deployment(), same)
    assert (found.outcome, found.path, found.wanted) == (
        Outcome.LEFT,
        "spec.template.spec.containers[web].env[DEBUG].value",
        None,
    )


@pytest.mark.parametrize(
    ("manager", "subresource"),
    [
        ("kube-controller-manager", ""),
        ("kubelet", "status"),
        ("kubectl", "status"),
        ("aws-load-balancer-controller", ""),
    ],
)
def test_what_the_cluster_itself_writes_is_no_drift(manager, subresource) -> None:
    tree = {"f:metadata": {"f:annotations": {"f:deployment.kubernetes.io/revision": {}}}}
    live = deployment(managers=[entry(manager, tree, subresource)])
    live["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": "3"}
    assert drift(live, live, deployment(), same) == []
