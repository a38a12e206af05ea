"""The exporters of data stores: whom they ask, who may ask them, and what they cost."""

from __future__ import annotations

import pytest

from nuages.app.build import Build
from nuages.app.components import App, resolve
from nuages.render.manifest import render, services
from nuages.render.release import Release
from nuages.spec.load import parse

pytestmark = pytest.mark.unit

BUILD = Build(reference=f"a/b@sha256:{'0' * 64}", wsgi="b.wsgi:app", settings="b.settings")
SPEC = """\
name: blog
image: a/b
services: {postgres: {run: {exporter: true}}, redis: {run: {exporter: EXPORTER}}}
databases: {default: postgres}
environments: {local: }
"""


def app(exporter: str = "true") -> App:
    return resolve(parse(SPEC.replace("EXPORTER", exporter).encode(), "nuages.yaml"), "local")


def test_each_is_told_its_store_and_by_reference_alone_what_opens_it() -> None:
    made = {item["metadata"]["name"]: item for item in services(app()) if item["kind"] == "Deployment"}
    assert set(made) == {"blog-postgres-exporter", "blog-redis-exporter"}
    (postgres,) = made["blog-postgres-exporter"]["spec"]["template"]["spec"]["containers"]
    assert {"name": "DATA_SOURCE_URI", "value": "blog-postgres:5432/blog?sslmode=disable"} in postgres["env"]
    secret = {"secretKeyRef": {"name": "blog-postgres", "key": "password"}}
    assert {"name": "DATA_SOURCE_PASS", "valueFrom": secret} in postgres["env"]
    template = made["blog-redis-exporter"]["spec"]["template"]
    assert template["metadata"]["annotations"]["prometheus.io/port"] == "9121"


def test_whoever_collects_names_no_other_redis_and_is_told_no_value() -> None:
    (made,) = [item for item in services(app()) if item["metadata"]["name"] == "blog-redis-exporter"]
    (redis,) = made["spec"]["template"]["spec"]["containers"]
    for name in ("DISABLE_SCRAPE_ENDPOINT", "DISABLE_EXPORTING_KEY_VALUES"):
        assert {"name": f"REDIS_EXPORTER_{name}", "value": "true"} in redis["env"]
    release = redis["image"].rpartition(":v")[2].split(".")
    assert [int(part) for part in release] >= [1, 83], "the first that has a switch for /scrape"


@pytest.mark.parametrize(("exporter", "ports"), [("true", {9187, 9121}), ("false", {9187})])
def test_whoever_collects_reaches_those_that_there_are(exporter: str, ports: set[int]) -> None:
    walls = render(app(exporter), Release(number=1, template=1, build=BUILD)).foundation
    (wall,) = [
        item for item in walls if item["metadata"]["name"] == "blog-exporter" and item["kind"] == "NetworkPolicy"
    ]
    (rule,) = wall["spec"]["ingress"]
    assert {one["port"] for one in rule["ports"]} == ports
    assert rule["from"] == [{"namespaceSelector": {}}]


def test_its_connections_are_counted() -> None:
    assert app().passing == 2
