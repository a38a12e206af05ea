"""The rights of a Job that drives a release: what it takes, and nothing that leads further."""

from __future__ import annotations

import pytest

from nuages.render.driver import Drive, rights

pytestmark = pytest.mark.unit


def drive(**changed):
    wanted = {
        "release": 8,
        "image": "registry.example.com/acme/blog@sha256:" + "d" * 64,
        "by": "ada@laptop",
        "kinds": (("", "services"), ("apps", "deployments")),
        "watched": (("", "pods"), ("apps", "deployments")),
        "secrets": ("blog-secrets-1f3a9c", "chat"),
    }
    return Drive(**{**wanted, **changed})


def allowed(rules):
    """Each (group, plural, verb), with the names it is held to."""
    return {
        (group, plural, verb): tuple(rule.get("resourceNames", ()))
        for rule in rules
        for group in rule["apiGroups"]
        for plural in rule["resources"]
        for verb in rule["verbs"]
    }


def test_it_may_write_the_kinds_of_the_release_and_no_other():
    may = allowed(rights(drive()))
    assert ("apps", "deployments", "patch") in may
    assert ("apps", "statefulsets", "patch") not in may


@pytest.mark.parametrize("verb", ["list", "watch", "create", "update", "patch"])
def test_secrets_are_reached_by_name_only_and_never_written(verb):
    may = allowed(rights(drive()))
    assert ("", "secrets", verb) not in may
    assert may["", "secrets", "get"] == ("blog-secrets-1f3a9c", "chat")


def test_without_secrets_there_is_no_right_to_any():
    assert not [key for key in allowed(rights(drive(secrets=()))) if key[1] == "secrets"]


@pytest.mark.parametrize("plural", ["pods/exec", "pods/attach", "serviceaccounts/token", "roles", "rolebindings"])
def test_nothing_leads_further(plural):
    assert not [key for key in allowed(rights(drive())) if key[1] == plural or "*" in key]


def test_rights_and_limits_of_the_release_are_looked_at_by_name_and_never_written():
    rbac = "rbac.authorization.k8s.io"
    given = ((rbac, "roles", "blog-viewer"), ("", "resourcequotas", "blog"))
    may = allowed(rights(drive(given=given, taken=given[1:])))
    assert may[rbac, "roles", "get"] == ("blog-viewer",)
    assert may["", "resourcequotas", "delete"] == ("blog",)
    written = {"create", "patch", "update", "delete", "bind", "escalate"}
    assert not [key for key in may if key[1] in ("roles", "rolebindings") and key[2] in written]
    assert not [key for key in may if key[1] in ("resourcequotas", "limitranges") and key[2] in written - {"delete"}]
