"""Which variables a container is told, who says each, and that nothing secret is shown."""

from __future__ import annotations

import pytest

from nuages.app.components import resolve
from nuages.release.variables import explained, own
from nuages.spec.load import parse

pytestmark = pytest.mark.unit

SPEC = """\
name: blog
image: registry.example.com/acme/blog
services: {postgres: {run: }}
databases: {default: postgres}
env: {COLOR: orange, FLAG: {configMap: flags, key: x}}
secrets: {SECRET_KEY: {generate: true}, SENTRY_DSN: }
environments:
  local:
    env: {COLOR: blue}
"""
CONTAINER = {
    "env": [
        {"name": "FLAG", "valueFrom": {"configMapKeyRef": {"name": "flags", "key": "x"}}},
        {"name": "POSTGRES_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "blog-postgres", "key": "password"}}},
        {"name": "DATABASE_URL", "value": "postgres://app:hunter22@blog-postgres:5432/blog"},
        {"name": "NUAGES_RELEASE", "value": "3"},
        {"name": "API_TOKEN", "value": "hunter22"},
    ]
}


def test_each_variable_has_its_source_and_no_secret_is_shown():
    spec = parse(SPEC.encode(), "nuages.yaml")
    whole = {"COLOR": ("blue", "ConfigMap blog-env-1"), "SECRET_KEY": ("***", "Secret blog-secrets-1")}
    found = {one.name: one for one in explained(resolve(spec, "local"), spec, CONTAINER, whole)}
    assert list(found) == sorted(found)
    assert (found["COLOR"].value, found["COLOR"].source) == ("blue", "nuages.yaml:9")
    assert found["FLAG"].source == "nuages.yaml:5"
    assert found["SECRET_KEY"].source == "nuages.yaml:6, generated"
    assert found["DATABASE_URL"].source == "services.postgres"
    assert found["NUAGES_RELEASE"].source == "nuages"
    assert found["POSTGRES_PASSWORD"].source == "Secret blog-postgres, key password"
    assert not any("hunter22" in one.value for one in found.values())


def test_whatever_runs_the_projects_code_is_asked_beat_too_and_no_set_beside_it():
    def workload(name, component, key="", *, settings=True, **labels):
        told = [{"name": "DJANGO_SETTINGS_MODULE", "value": "blog.settings"}] if settings else []
        about = {"app.kubernetes.io/component": component, "nuages.dev/key": key, **labels}
        spec = {"template": {"spec": {"containers": [{"name": component, "env": told}]}}}
        return {"metadata": {"name": name, "labels": about}, "spec": spec}

    items = [
        workload("blog-worker-mail", "worker", "mail"),
        workload("blog-web-main-canary", "web", "main", **{"nuages.dev/track": "canary"}),
        workload("blog-web-main", "web", "main"),
        workload("blog-beat", "beat"),
        workload("blog-postgres", "postgres", settings=False),
    ]
    assert {str(part): item["metadata"]["name"] for part, item in own(items).items()} == {
        "web-main": "blog-web-main",
        "beat": "blog-beat",
        "worker-mail": "blog-worker-mail",
    }
