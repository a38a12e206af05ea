"""What an examination says of what it was told: versions, clocks, nodes, rights, a pod's answer."""

from __future__ import annotations

import base64
import json
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest

from nuages.app.components import resolve
from nuages.release.doctor import inside, reach, registry, rights
from nuages.release.doctor.findings import State
from nuages.release.doctor.rights import Right
from nuages.spec.load import parse

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
EXPOSED = """\
name: blog
image: registry.example.com/acme/blog
expose: {kind: ingress, hosts: blog.example.com, tls: {none: }}
environments: {local: }
"""
POD_LIST = Right("", "pods", "list")


@pytest.mark.parametrize(
    ("server", "state"),
    [
        ("v1.28.9", State.BROKEN),
        ("v1.29.0", State.WORKS),
        ("v1.33.5-eks-1a2b3c4", State.WORKS),
        ("v1.32.9+k3s1", State.WORKS),
        ("v1.39.0", State.POOR),
    ],
)
def test_a_server_is_known_by_its_minor_version(server, state):
    assert reach.version(server, "v1.34.10").state is state


@pytest.mark.parametrize(
    ("there", "state", "said"),
    [
        ("Sun, 22 Nov 2026 01:00:20 GMT", State.WORKS, "agrees"),
        ("Sun, 22 Nov 2026 00:58:00 GMT", State.BROKEN, "120 s behind"),
        ("Sun, 22 Nov 2026 01:02:01 GMT", State.BROKEN, "120 s ahead of"),
        ("", State.UNKNOWN, "does not say"),
    ],
)
def test_a_clock_is_judged_by_the_time_that_asking_took(there, state, said):
    look = reach.clock("clock", there, NOW, NOW + timedelta(seconds=1))
    assert look.state is state
    assert said in look.said


@pytest.mark.parametrize(
    ("found", "state"),
    [
        ([("a", "v1.34.1", True), ("b", "v1.31.0", True)], State.WORKS),
        ([("a", "v1.34.1", True), ("b", "v1.30.0", True)], State.POOR),
        ([("a", "v1.35.0", True)], State.POOR),
        ([("a", "v1.34.1", True), ("b", "v1.34.1", False)], State.POOR),
        ([("a", "v1.34.1", False)], State.BROKEN),
        ([], State.BROKEN),
    ],
)
def test_nodes_are_ready_and_not_too_old(found, state):
    assert reach.nodes(found, "v1.34.10").state is state


def test_each_missing_right_is_named_by_verb_and_resource():
    needs = rights.needed(None)
    missing = [POD_LIST, Right("apps", "deployments/scale", "patch"), Right("", "pods", "watch")]
    looks = rights.told(needs, missing, "blog-local", "ci")
    assert [(look.topic, look.said) for look in looks[:-1]] == [
        ("pods", "ci may not list, watch"),
        ("deployments/scale.apps", "ci may not patch"),
    ]
    assert looks[-1].said.startswith(f"3 of {len(needs)}")
    assert all(look.state is State.BROKEN for look in looks)
    assert [look.state for look in rights.told(needs, [], "blog-local", "ci")] == [State.WORKS]


def test_rights_are_asked_for_what_the_app_has_and_no_wildcard_is():
    needs = rights.needed(resolve(parse(EXPOSED.encode(), "nuages.yaml"), "local"))
    assert Right("networking.k8s.io", "ingresses", "patch") in needs
    assert Right("networking.k8s.io", "ingresses", "patch") not in rights.needed(None)
    assert {Right("", "secrets", "create"), Right("", "pods/log", "get")} <= set(needs)
    assert not any("*" in right for right in needs)


def test_the_role_that_would_do_has_every_right_and_names_who_asks():
    needs = rights.needed(None)
    role, binding = rights.role(needs, "blog-local", "system:serviceaccount:ops:ci")
    given = {
        Right(rule["apiGroups"][0], resource, verb)
        for rule in role["rules"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert given == set(needs)
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "ci", "namespace": "ops"}]
    assert rights.role(needs, "x", "ana@example.com")[1]["subjects"][0]["kind"] == "User"


def test_a_pods_answer_names_what_is_not_found_and_not_reached():
    answer = {
        "time": NOW.timestamp() - 90,
        "names": {"kubernetes.default.svc": 4, "db.internal": "[Errno -2] Name or service not known"},
        "ports": {"blog-postgres": "timed out"},
    }
    looks = {look.topic: look for look in inside.told(answer, NOW, NOW)}
    assert looks["names"].said.startswith("db.internal:")
    assert looks["blog-postgres"].state is State.BROKEN
    assert looks["the node's clock"].said.startswith("90 s behind")


def test_a_way_that_opens_a_moment_after_the_pod_began_is_a_way():
    with socket.socket() as late:
        late.bind(("127.0.0.1", 0))  # and refuses, until it listens
        asked = [sys.executable, "-c", inside.SCRIPT, json.dumps([late.getsockname()])]
        with subprocess.Popen(asked, stdout=subprocess.PIPE, text=True) as pod:
            time.sleep(0.3)  # whether it has tried by then or not
            late.listen()
            said, _ = pod.communicate(timeout=60)
    assert json.loads(said)["ports"] == {"127.0.0.1": ""}


def test_a_pull_secret_is_known_by_its_hosts_and_shows_nothing_else():
    auths = {"https://registry.example.com/v1/": {"auth": "c2VjcmV0"}}
    data = {".dockerconfigjson": base64.b64encode(json.dumps({"auths": auths}).encode()).decode()}
    assert registry.hosts(data) == ["https://registry.example.com/v1/"]
    assert registry.hosts({"password": "eA=="}) is None
