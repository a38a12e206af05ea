"""The page that a person puts in front: who leads to it, who is behind it, who may ask whom."""

from __future__ import annotations

import pytest

from nuages.app.build import Build
from nuages.app.components import resolve
from nuages.render import pause
from nuages.render.manifest import render
from nuages.render.release import Release
from nuages.spec.load import load

pytestmark = pytest.mark.unit
SPEC = """
name: blog
image: registry.example.com/acme/blog
web: {main: {}, api: {routes: [/api]}}
expose: {kind: loadBalancer, hosts: [blog.localhost]}
environments: {local: {}}
"""


@pytest.fixture
def app(tmp_path):
    path = tmp_path / "nuages.yaml"
    path.write_text(SPEC)
    return resolve(load(path), "local")


@pytest.fixture
def build():
    reference = f"registry.example.com/acme/blog@sha256:{'0' * 64}"
    return Build(reference=reference, settings="blog.settings", wsgi="blog.wsgi:application")


@pytest.fixture
def services(app, build):
    made = render(app, Release(number=1, template=1, build=build))
    return [item for item in [*made.web, *made.exposure] if pause.in_front(item)]


def test_every_way_in_leads_to_the_page_and_nothing_else_of_it_changes(services):
    assert len(services) == 3
    for service in services:
        led = pause.led(service)
        assert led["spec"]["selector"]["nuages.dev/key"] == pause.HAND
        assert led["metadata"] == service["metadata"]
        assert {**led["spec"], "selector": None} == {**service["spec"], "selector": None}
    assert (
        pause.led(other := {"kind": "Service", "spec": {"selector": {"app.kubernetes.io/component": "redis"}}}) is other
    )


def test_what_is_behind_has_a_service_and_a_path_each(app, build, services):
    made = pause.objects(app, build, services, "secret", None, walls=True)
    behind = {item["metadata"]["name"]: item["spec"]["selector"] for item in made if item["kind"] == "Service"}
    assert set(behind) == {"blog-web-main-behind", "blog-web-api-behind"}
    assert all(selector["nuages.dev/key"] != pause.HAND for selector in behind.values())
    page = made[-1]["spec"]["template"]["spec"]["containers"][0]
    told = {variable["name"]: variable.get("value") for variable in page["env"]}
    assert told["NUAGES_BEHIND"] == "/api=blog-web-api-behind:80,/=blog-web-main-behind:80"
    assert told["NUAGES_BYPASS"] is None


def test_an_app_without_walls_gets_none_by_its_page(app, build, services):
    kinds = [item["kind"] for item in pause.objects(app, build, services, "secret", "<h1>x</h1>", walls=False)]
    assert "NetworkPolicy" not in kinds
    assert kinds.count("ConfigMap") == 1
