"""Spec and environment in, App out."""

from __future__ import annotations

import pytest

from nuages.app.components import resolve
from nuages.spec.load import parse

pytestmark = pytest.mark.unit

SPEC = parse(
    b"""\
name: blog
image: registry.example.com/acme/blog
services: {postgres: {run: }}
databases: {default: postgres}
environments:
  local: {web: {main: {replicas: 2}}}
  production: {cluster: prod-eu, namespace: site, web: {api: {resources: {cpu: "2"}}}}
""",
    "nuages.yaml",
)


def test_an_environment_has_its_own_namespace_unless_it_names_one() -> None:
    assert resolve(SPEC, "local").namespace == "blog-local"
    assert resolve(SPEC, "production").namespace == "site"


def test_an_environment_is_bound_to_the_cluster_it_names() -> None:
    assert resolve(SPEC, "local").cluster is None
    assert resolve(SPEC, "production").cluster == "prod-eu"


def test_a_patch_adds_a_component_and_its_numbers_are_derived() -> None:
    api = resolve(SPEC, "production").web["api"]
    assert (api.name, api.replicas, api.processes.workers, api.timing.grace) == ("blog-web-api", 1, 2, 40)


def test_a_patch_leaves_what_it_does_not_name() -> None:
    app = resolve(SPEC, "local")
    assert app.web["main"].replicas == 2
    assert app.postgres is not None
    assert app.postgres.name == "blog-postgres"
