"""What an API server answers, as it was recorded from Kubernetes 1.34, and the errors it becomes."""

import json

import pytest

from nuages.errors import Forbidden, Gone, Rejected, Unreachable
from nuages.kube.failures import AlreadyExists, Asked, Expired, Field, FieldConflict, Later, Overtaken, failure

DEPLOYMENT = Asked("apply", "Deployment", "blog-web-main", "blog-local")
SECRET = Asked("apply", "Secret", "blog-secrets", "blog-local")


def status(code, reason, message, **details):
    return json.dumps(
        {"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message, "details": details}
    ).encode()


def test_a_conflict_names_every_field_with_its_owner():
    message = (
        'Apply failed with 1 conflict: conflict with "kubectl" with subresource "scale" using apps/v1: .spec.replicas'
    )
    cause = {
        "reason": "FieldManagerConflict",
        "message": 'conflict with "kubectl" with subresource "scale" using apps/v1',
        "field": ".spec.replicas",
    }
    error = failure(409, status(409, "Conflict", message, causes=[cause]), DEPLOYMENT)
    assert isinstance(error, FieldConflict)
    assert error.fields == (Field(".spec.replicas", "kubectl (scale)"),)
    assert error.only(frozenset({".spec.replicas"}))
    assert not error.only(frozenset({".spec.paused"}))
    assert error.message == (
        "cannot apply Deployment blog-local/blog-web-main: .spec.replicas is set by kubectl (scale)"
    )


@pytest.mark.parametrize(
    ("code", "reason", "message", "expected"),
    [
        (409, "Conflict", "the object has been modified; please apply your changes to the latest version", Overtaken),
        (409, "Conflict", "Precondition failed: UID in precondition: a, UID in object meta: b", Overtaken),
        (409, "AlreadyExists", 'leases.coordination.k8s.io "blog-release" already exists', AlreadyExists),
        (410, "Expired", "too old resource version: 1 (1893)", Expired),
        (404, "NotFound", 'deployments.apps "blog-web-main" not found', Gone),
        (429, "TooManyRequests", "Too many requests, please try again later.", Later),
        (500, "InternalError", "etcdserver: request timed out", Unreachable),
        (503, "ServiceUnavailable", "the server is currently unable to handle the request", Unreachable),
        (422, "Invalid", 'Deployment.apps "x" is invalid', Rejected),
        (400, "BadRequest", "admission webhook denied the request", Rejected),
    ],
)
def test_each_reason_has_its_error(code, reason, message, expected):
    assert type(failure(code, status(code, reason, message), DEPLOYMENT)) in {expected, Later}
    assert isinstance(failure(code, status(code, reason, message), DEPLOYMENT), expected)


def test_a_missing_right_comes_with_the_rule_that_would_grant_it():
    message = (
        'deployments.apps is forbidden: User "system:serviceaccount:blog:ci" cannot list resource "deployments"'
        ' in API group "apps" in the namespace "blog-local"'
    )
    error = failure(403, status(403, "Forbidden", message), Asked("list", "Deployment", namespace="blog-local"))
    assert isinstance(error, Forbidden)
    assert error.message == "system:serviceaccount:blog:ci may not list deployments in namespace blog-local"
    assert '{apiGroups: ["apps"], resources: ["deployments"], verbs: ["list"]}' in error.hint
    assert "Role in namespace blog-local" in error.hint


def test_a_missing_right_in_the_whole_cluster_needs_a_cluster_role():
    message = (
        'namespaces is forbidden: User "ci" cannot create resource "namespaces" in API group "" at the cluster scope'
    )
    error = failure(403, status(403, "Forbidden", message), Asked("create", "Namespace", "blog-local"))
    assert error.message == "ci may not create namespaces"
    assert error.hint.startswith("a ClusterRole")


def test_a_refusal_by_admission_is_no_missing_right():
    message = 'pods "x" is forbidden: exceeded quota: small, requested: pods=1, used: pods=2, limited: pods=2'
    assert isinstance(failure(403, status(403, "Forbidden", message), DEPLOYMENT), Rejected)


def test_expired_credentials_say_so():
    error = failure(401, status(401, "Unauthorized", "Unauthorized"), DEPLOYMENT)
    assert isinstance(error, Forbidden)
    assert "expired" in error.message
    assert "log in" in error.hint


def test_what_is_invalid_is_listed_field_by_field():
    causes = [
        {"reason": "FieldValueInvalid", "message": "Invalid value: -1: must be at least 0", "field": "spec.replicas"},
        {"reason": "FieldValueRequired", "message": "Required value", "field": "spec.selector"},
    ]
    error = failure(422, status(422, "Invalid", "2 faults", causes=causes), DEPLOYMENT)
    assert error.detail.splitlines() == [
        "spec.replicas: Invalid value: -1: must be at least 0",
        "spec.selector: Required value",
    ]


def test_a_message_is_one_line_and_what_differs_stands_below():
    message = 'PersistentVolumeClaim "data" is invalid: spec: Forbidden: spec is immutable\n@@ -6,7 @@\n- 1Gi\n+ 2Gi\n'
    causes = [{"field": "spec", "message": "Forbidden: spec is immutable\n@@ -6,7 @@\n- 1Gi\n+ 2Gi\n"}]
    error = failure(
        422, status(422, "Invalid", message, causes=causes), Asked("apply", "PersistentVolumeClaim", "data")
    )
    assert error.message.endswith("spec is immutable")
    assert "+ 2Gi" in error.detail


def test_what_the_server_quotes_of_a_secret_is_not_shown():
    causes = [{"reason": "FieldValueInvalid", "message": 'Invalid value: "hunter2"', "field": "data[KEY]"}]
    body = status(422, "Invalid", 'Secret "x" is invalid: data[KEY]: Invalid value: "hunter2"', causes=causes)
    error = failure(422, body, SECRET)
    assert "hunter2" not in f"{error.message} {error.detail} {error.hint}"
    assert error.detail == "data[KEY]: FieldValueInvalid"


def test_a_proxys_answer_is_not_taken_for_the_servers():
    error = failure(502, b"<html>Bad gateway</html>", DEPLOYMENT)
    assert isinstance(error, Unreachable)
    assert "html" not in error.message


def test_later_keeps_what_the_server_asked_for():
    assert failure(429, status(429, "TooManyRequests", "later"), DEPLOYMENT, "3").after == 3
    assert failure(429, status(429, "TooManyRequests", "later"), DEPLOYMENT, "soon").after is None
