"""Spec and environment in, App out."""

from __future__ import annotations

import pytest

from nuages.app.components import SERVERS, App, resolve
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


def local(text: str) -> App:
    return resolve(
        parse(f"name: blog\nimage: a/b\n{text}\nenvironments: {{local: }}\n".encode(), "nuages.yaml"), "local"
    )


@pytest.mark.parametrize(
    ("webs", "routes"),
    [
        ("main: {}", {"main": ["/"]}),
        ("main: {}, api: {}", {"main": ["/"], "api": []}),
        ("main: {}, api: {routes: /api/}", {"main": ["/"], "api": ["/api/"]}),
        ("main: {}, site: {routes: [/, /about]}", {"main": [], "site": ["/about", "/"]}),
        ("main: {routes: /a}, api: {}", {"main": ["/a"], "api": ["/"]}),
        ("main: {routes: []}", {"main": []}),
    ],
)
def test_what_no_web_claims_goes_to_the_first_that_says_nothing(webs: str, routes: dict[str, list[str]]) -> None:
    assert {key: web.routes for key, web in local(f"web: {{{webs}}}").web.items()} == routes


def test_a_web_has_the_server_of_its_interface_unless_a_command_serves() -> None:
    app = local("web: {a: {}, b: {interface: asgi}, c: {interface: asgi, server: granian}, d: {command: [x]}}")
    assert [web.server for web in app.web.values()] == [SERVERS["wsgi"], SERVERS["asgi"], "granian", ""]


@pytest.mark.parametrize(
    ("more", "broker", "storage", "half"),
    [
        ("", False, None, False),
        ("workers: {w: {celery: blog}}", True, "1Gi", True),
        ("beat: {celery: blog}", True, "1Gi", True),
        ("workers: {w: {command: [rqworker]}}", True, "1Gi", True),
        ("workers: {w: {celery: blog}}\nsecrets: {CELERY_BROKER_URL: }", False, None, False),
        ("workers: {w: {celery: blog}}\nenv: {CELERY_BROKER_URL: {service: redis, key: url}}", True, "1Gi", True),
    ],
)
def test_redis_has_a_volume_where_tasks_lie_in_it(more: str, broker: bool, storage: str | None, half: bool) -> None:
    redis = local(f"services: {{redis: {{run: {{resources: {{memory: 256Mi}}}}}}}}\n{more}").redis
    assert redis is not None
    assert (redis.broker, redis.storage) == (broker, storage)
    assert redis.max_memory == (128 if half else 192) * 2**20


def test_a_volume_of_redis_that_is_asked_for_is_there_without_tasks_too() -> None:
    redis = local("services: {redis: {run: {storage: 3Gi}}}").redis
    assert redis is not None
    assert (redis.broker, redis.storage) == (False, "3Gi")
