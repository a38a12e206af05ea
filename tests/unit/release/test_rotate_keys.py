"""Which pods a rotation of the key waits for."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from nuages.app.components import resolve
from nuages.release.keeping import keys
from nuages.render.release import Manifest
from nuages.spec.load import parse

pytestmark = pytest.mark.unit

SPEC = """\
name: blog
image: a/b
secrets: {SECRET_KEY: {generate: true}}
environments: {local: }
"""


def pod(name, copied, *, component="web", phase="Running", **about):
    sources = [{"secretRef": {"name": copied}}]
    labels = {"app.kubernetes.io/component": component}
    return {
        "metadata": {"name": name, "labels": labels, **about},
        "spec": {"containers": [{"envFrom": sources}]},
        "status": {"phase": phase},
    }


def test_a_web_that_ends_and_does_not_know_the_new_key_is_waited_for():
    """It would throw a session away that the new key has signed."""
    pods = [
        pod("told", "blog-secrets-2222222222"),
        pod("ends", "blog-secrets-1111111111", deletionTimestamp="2026-01-01T12:00:00Z"),
        pod("ended", "blog-secrets-1111111111", phase="Succeeded"),
        pod("works", "blog-secrets-1111111111", component="worker"),
        pod("page", "blog-page"),
    ]
    app = resolve(parse(SPEC.encode(), "nuages.yaml"), "local")
    left = keys.untold(app, "blog-secrets-2222222222", SimpleNamespace(items=lambda kind: pods))
    assert [one["metadata"]["name"] for one in left] == ["ends"]


def test_those_are_said_to_be_replaced_whose_pods_read_the_keys():
    def workload(name: str, copied: str) -> dict:
        about = {"name": name}
        return {"kind": "Deployment", "metadata": about, "spec": {"template": {"spec": pod(name, copied)["spec"]}}}

    made = Manifest(
        foundation=[],
        services=[],
        expand=[],
        exposure=[],
        web=[workload("blog-web-main", "blog-secrets-2"), {"kind": "Service", "metadata": {"name": "blog-web-main"}}],
        static=[workload("blog-static", "blog-page")],
    )
    assert [item["metadata"]["name"] for item in keys.readers(made, "blog-secrets-2")] == ["blog-web-main"]
