"""A copy of another environment's data, and what ends an environment: what each pod may know and reach."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from nuages.app.build import Build
from nuages.app.components import resolve
from nuages.render.clone import Clone, _on_the_copy, job, secret, walls
from nuages.render.keeper import cron, keeper
from nuages.spec.load import parse
from nuages_runtime.keeper import over

pytestmark = pytest.mark.unit

SPEC = parse(
    b"""
name: blog
image: registry.example.com/acme/blog
services: {postgres: {run: {}}}
databases: {default: postgres}
environments:
  staging: {}
  preview:
    template: true
    databases: {default: {cloneFrom: staging, anonymise: {sql: a.sql}}}
""",
    "nuages.yaml",
)
SOURCE, TARGET = resolve(SPEC, "staging"), resolve(SPEC, "pr-12")
OWNER = {"metadata": {"name": "blog-clone-pr-12", "uid": "1"}}
WEB = {
    "spec": {
        "securityContext": {"runAsUser": 10001},
        "containers": [
            {
                "name": "web",
                "image": "blog@sha256:1",
                "resources": {},
                "envFrom": [{"configMapRef": {"name": "blog-config"}}],
                "env": [
                    {"name": "DATABASE_URL", "value": "postgres://$(USER):$(PASSWORD)@blog-postgres:5432/blog"},
                    {"name": "DB_HOST", "value": "blog-postgres"},
                    {"name": "REDIS_URL", "value": "redis://blog-redis:6379/0"},
                    {"name": "WAREHOUSE", "value": "host=blog-postgres.blog-v2.svc.cluster.local port=5432"},
                    {"name": "REPLICA_URL", "value": "postgres://a:b@blog-postgres.blog-v2.svc/blog"},
                    {"name": "OTHER", "value": "blog-postgres-report"},
                ],
            }
        ],
    }
}


def names(container: dict[str, Any]) -> set[str]:
    """The Secrets that a container is told of."""
    references = [one["valueFrom"]["secretKeyRef"]["name"] for one in container.get("env", []) if "valueFrom" in one]
    return set(references)


def test_no_container_knows_both_the_real_data_and_the_new_environment() -> None:
    pod = job(Clone(source=SOURCE, target=TARGET, sql=True))["spec"]["template"]["spec"]
    server, take, anonymise = pod["initContainers"]
    (hand_on,) = pod["containers"]
    assert [names(one) for one in (server, take, anonymise, hand_on)] == [
        set(),
        {"blog-postgres"},
        set(),
        {"blog-clone-pr-12"},
    ]
    # A server that lives as long as the pod, and that only the pod reaches.
    assert server["restartPolicy"] == "Always"
    assert "listen_addresses=127.0.0.1" in server["args"]
    assert {"name": "FROM_HOST", "value": "127.0.0.1"} in hand_on["env"]


def test_a_command_of_the_project_sees_the_copy_and_nothing_else_of_the_source() -> None:
    pod = job(Clone(source=SOURCE, target=TARGET, manage=("anonymise",), template=WEB))["spec"]["template"]["spec"]
    ran = pod["initContainers"][-1]
    assert ran["command"] == ["python", "manage.py", "anonymise"]
    assert {one["name"]: one["value"] for one in ran["env"]} == {
        "DATABASE_URL": "postgres://app@127.0.0.1:5432/blog",
        "DB_HOST": "127.0.0.1",
        "REDIS_URL": "redis://blog-redis:6379/0",
        "WAREHOUSE": "host=127.0.0.1 port=5432",
        "REPLICA_URL": "postgres://app@127.0.0.1:5432/blog",
        "OTHER": "blog-postgres-report",
    }
    assert ran["securityContext"]["runAsUser"] == 10001


def test_who_logs_in_after_a_rotation_is_whom_the_server_of_the_copy_knows() -> None:
    read = {"name": "DB_USER", "valueFrom": {"secretKeyRef": {"name": "blog-postgres", "key": "user"}}}
    other = {"name": "SENTRY", "valueFrom": {"secretKeyRef": {"name": "blog-secrets", "key": "user"}}}
    assert _on_the_copy(SOURCE, read) == {"name": "DB_USER", "value": "app"}
    assert _on_the_copy(SOURCE, other) == other


def test_without_anonymising_it_goes_from_one_to_the_other() -> None:
    pod = job(Clone(source=SOURCE, target=TARGET))["spec"]["template"]["spec"]
    assert "initContainers" not in pod
    assert names(pod["containers"][0]) == {"blog-postgres", "blog-clone-pr-12"}


def test_the_walls_open_one_port_of_two_databases_to_one_job() -> None:
    clone = Clone(source=SOURCE, target=TARGET, sql=True)
    leaves, comes, arrives = walls(clone, OWNER)
    mine = job(clone)["spec"]["template"]["metadata"]["labels"]
    selected = leaves["spec"]["podSelector"]["matchLabels"]
    assert selected.items() <= mine.items()
    assert [one["metadata"]["namespace"] for one in (leaves, comes, arrives)] == [
        "blog-staging",
        "blog-staging",
        "blog-pr-12",
    ]
    ports = [
        rule["ports"]
        for one in (leaves, comes, arrives)
        for rule in one["spec"].get("egress", one["spec"].get("ingress"))
    ]
    assert ports == [[{"protocol": "TCP", "port": 5432}]] * 3
    # The Job's own go with it; one in another namespace can have no owner here.
    assert ["ownerReferences" in one["metadata"] for one in (leaves, comes, arrives)] == [True, True, False]


def test_the_password_that_is_handed_over_is_the_new_ones() -> None:
    made = secret(Clone(source=SOURCE, target=TARGET, sql=True), OWNER, {"user": "YQ==", "password": "Yg=="}, "c3Fs")
    assert made["data"] == {"target-user": "YQ==", "target-password": "Yg==", "anonymise.sql": "c3Fs"}


def test_what_ends_an_environment_may_delete_that_one_namespace() -> None:
    ends = datetime(2026, 12, 31, 23, 59, 30, tzinfo=UTC)
    made = keeper(
        TARGET,
        Build(reference="blog@sha256:1", wsgi="blog.wsgi:application", settings="blog.settings", media_root=""),
        (443, 6443),
        ends,
    )
    (role,) = (one for one in made if one["kind"] == "Role")
    assert role["rules"] == [
        {"apiGroups": [""], "resources": ["namespaces"], "resourceNames": ["blog-pr-12"], "verbs": ["get", "delete"]}
    ]
    assert cron(ends) == "0 0 1 1 *"
    assert made[-1]["spec"]["timeZone"] == "Etc/UTC"


def test_a_time_that_nobody_can_read_never_comes() -> None:
    now = time.time()
    soon = datetime.fromtimestamp(now, UTC) + timedelta(minutes=1)
    before = soon - timedelta(minutes=2)
    assert [over(text, now) for text in (before.isoformat(), soon.isoformat(), "", "tomorrow")] == [
        True,
        False,
        False,
        False,
    ]
