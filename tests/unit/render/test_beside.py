"""A set beside the release that serves: what its objects are called, who finds them, and who gets which requests."""

from __future__ import annotations

import re

import msgspec
import pytest

from nuages.render.canary import broker, most, share, sized
from nuages.render.manifest import render
from nuages.render.switch import HEADER, switched, to_page, weighted
from nuages.render.tasks import celery, job, variable

from .blog import blog, example, release

pytestmark = pytest.mark.unit


def manifest(app, **how):
    return render(app, release(number=2, **how))


def named(objects, kind, name):
    return next(item for item in objects if (item["kind"], item["metadata"]["name"]) == (kind, name))


def selects(selector, labels):
    return selector.items() <= labels.items()


@pytest.mark.parametrize("how", [{}, {"canary": "canary"}, {"canary": "blue-green"}, {"maintenance": True}])
def test_what_is_released_is_the_same_in_whatever_manner(how):
    plain, other = manifest(blog()), manifest(blog(), **how)
    for part in ("foundation", "services", "expand", "workers", "web", "exposure", "beat"):
        assert getattr(plain, part) == getattr(other, part), part


def test_without_a_gateway_the_service_finds_the_pods_of_both_and_one_budget_holds_them():
    made = manifest(blog("local"), canary="canary")
    assert [(item["kind"], item["metadata"]["name"]) for item in made.canary] == [
        ("Deployment", "blog-web-main-canary")
    ]
    theirs, mine = (
        item[0]["spec"]["template"]["metadata"]["labels"]
        for item in ([named(made.web, "Deployment", "blog-web-main")], made.canary)
    )
    for item in made.web:
        if item["kind"] != "Deployment":
            selector = item["spec"]["selector"]
            selector = selector.get("matchLabels", selector)
            assert selects(selector, theirs)
            assert selects(selector, mine)
    assert not selects(made.canary[0]["spec"]["selector"]["matchLabels"], theirs)


@pytest.mark.parametrize(("environment", "how"), [("gateway", "canary"), ("local", "blue-green")])
def test_with_a_way_of_its_own_nothing_of_either_finds_the_pods_of_the_other(environment, how):
    made = manifest(blog(environment), canary=how)
    kinds = [item["kind"] for item in made.canary]
    assert sorted(kinds) == ["Deployment", "PodDisruptionBudget", "Service"]
    theirs = named(made.web, "Deployment", "blog-web-main")["spec"]["template"]["metadata"]["labels"]
    mine = next(item for item in made.canary if item["kind"] == "Deployment")["spec"]["template"]["metadata"]["labels"]
    for one, own, other in ((made.web, theirs, mine), (made.canary, mine, theirs)):
        for item in one:
            selector = item["spec"]["selector"]
            selector = selector.get("matchLabels", selector)
            assert selects(selector, own)
            assert not selects(selector, other)


@pytest.mark.parametrize("environment", ["gateway", "local", "nodeport", "ingress"])
def test_the_walls_let_the_same_requests_in_to_the_set_as_to_the_release(environment):
    made = manifest(blog(environment), canary="canary")
    mine = next(item for item in made.canary if item["kind"] == "Deployment")["spec"]["template"]["metadata"]["labels"]
    theirs = named(made.web, "Deployment", "blog-web-main")["spec"]["template"]["metadata"]["labels"]
    policies = [item["spec"]["podSelector"] for item in made.foundation if item["kind"] == "NetworkPolicy"]
    assert [selects(one.get("matchLabels", {}), mine) for one in policies] == [
        selects(one.get("matchLabels", {}), theirs) for one in policies
    ]


def test_with_our_redis_the_set_has_a_queue_and_workers_of_its_own_and_no_beat():
    made = manifest(example("celery-local"), canary="canary")
    own = {
        item["metadata"]["name"]: variable(item, "CELERY_BROKER_URL")
        for item in made.canary
        if item["kind"] == "Deployment"
    }
    assert set(own) == {"newsletter-web-main-canary", "newsletter-worker-default-canary"}
    assert all(url.endswith("/2") for url in own.values())
    theirs = [item for item in (*made.web, *made.workers) if item["kind"] == "Deployment"]
    assert all(variable(item, "CELERY_BROKER_URL").endswith("/1") for item in theirs)


SHARED = """\
name: blog
image: registry.example.com/blog
workers: {default: {celery: {app: blog}}}
env: {CELERY_BROKER_URL: "amqp://rabbit.example.com"}
environments: {local: {}}
"""


def test_on_a_broker_of_somebody_else_the_set_has_no_workers():
    app = blog(spec=SHARED)
    assert broker(app) is None
    assert all(
        item["metadata"]["labels"]["app.kubernetes.io/component"] == "web"
        for item in manifest(app, canary="canary").canary
    )


@pytest.mark.parametrize(
    ("replicas", "percent", "beside", "expected"),
    [
        pytest.param(3, 10, True, 1, id="one of four is the least"),
        pytest.param(9, 10, True, 1, id="one of ten is a tenth"),
        pytest.param(3, 50, True, 3, id="half of the pods are as many as there are"),
        pytest.param(3, 50, False, 2, id="half of the load of three takes two"),
        pytest.param(10, 25, False, 3, id="a part of a pod is a pod"),
        pytest.param(0, 50, False, 0, id="of none there is none"),
    ],
)
def test_how_many_pods_take_a_share(replicas, percent, beside, expected):
    assert share(replicas, percent, beside_others=beside) == expected


def test_a_set_never_has_more_pods_than_the_database_has_connections_for():
    app = blog("local")
    assert most(app) == 1
    (deployment,) = manifest(app, canary="canary").canary
    assert [sized(deployment, percent, "replicas")["spec"]["replicas"] for percent in (10, 50, 90)] == [1, 1, 1]
    assert most(blog("stateless")) is None
    assert most(msgspec.structs.replace(app, web={}, workers={})) is None


def test_a_route_shares_by_weight_and_a_header_or_a_cookie_pins_to_either():
    (route,) = manifest(blog("gateway"), canary="canary").exposure
    made = weighted(route, 10, "canary", frozenset({"blog-web-main"}))
    to_set, to_stable, by_weight = made["spec"]["rules"]
    assert [(one["name"], one["weight"]) for one in by_weight["backendRefs"]] == [
        ("blog-web-main", 90),
        ("blog-web-main-canary", 10),
    ]
    assert by_weight["matches"] == route["spec"]["rules"][0]["matches"]
    for rule, name, value in ((to_set, "blog-web-main-canary", "canary"), (to_stable, "blog-web-main", "stable")):
        assert [one["name"] for one in rule["backendRefs"]] == [name]
        header, cookie = (match["headers"][0] for match in rule["matches"])
        assert (header["name"], header["value"]) == (HEADER, value)
        for sent in (f"nuages-track={value}", f"a=b; nuages-track={value}", f"nuages-track={value}; c=d"):
            assert re.fullmatch(cookie["value"], sent)
        for other in (f"nuages-track={value}2", f"my-nuages-track={value}", "nuages-track=", "a=b"):
            assert not re.fullmatch(cookie["value"], other)
        assert {match["path"]["value"] for match in rule["matches"]} == {"/"}
    assert all(rule["timeouts"] == by_weight["timeouts"] for rule in (to_set, to_stable))


def test_a_route_of_many_paths_shares_by_weight_alone_since_it_holds_sixteen_rules():
    (route,) = manifest(blog("gateway")).exposure
    rule = route["spec"]["rules"][0]
    many = [{**rule, "matches": [{"path": {"type": "PathPrefix", "value": f"/{number}"}}]} for number in range(8)]
    made = weighted({**route, "spec": {**route["spec"], "rules": many}}, 10, "canary", frozenset({"blog-web-main"}))
    assert len(made["spec"]["rules"]) == 8


def test_a_web_that_the_set_has_not_keeps_its_requests():
    (route,) = manifest(blog("gateway")).exposure
    assert weighted(route, 10, "canary", frozenset()) == route


def test_blue_and_green_are_switched_at_every_service_of_the_webs():
    made = manifest(blog("local"), canary="blue-green")
    green = next(item for item in made.canary if item["kind"] == "Deployment")["spec"]["template"]["metadata"]["labels"]
    blue = named(made.web, "Deployment", "blog-web-main")["spec"]["template"]["metadata"]["labels"]
    services = [item for item in (*made.web, *made.exposure) if item["kind"] == "Service"]
    assert len(services) == 2
    for service in services:
        there = switched(service, "green", frozenset({"main"}))
        assert selects(there["spec"]["selector"], green)
        assert not selects(there["spec"]["selector"], blue)
        assert switched(service, "green", frozenset()) == service


def test_the_page_of_a_maintenance_is_found_by_the_services_and_let_in_by_the_walls():
    made = manifest(blog("local"), maintenance=True)
    (page,) = made.maintenance
    labels = page["spec"]["template"]["metadata"]["labels"]
    for service in [item for item in (*made.web, *made.exposure) if item["kind"] == "Service"]:
        assert selects(to_page(service, "maintenance.page")["spec"]["selector"], labels)
        assert not selects(service["spec"]["selector"], labels)
    policies = {item["metadata"]["name"]: item["spec"] for item in made.foundation if item["kind"] == "NetworkPolicy"}
    assert selects(policies["blog-web"]["podSelector"]["matchLabels"], labels)
    assert page["spec"]["template"]["spec"]["containers"][0]["ports"][0]["name"] == "http"


def test_a_job_that_looks_after_tasks_has_a_workers_surroundings_and_no_services_requests():
    made = manifest(example("celery-local"), canary="canary")
    worker = celery(made.canary)[0]
    waiting = job(worker, "newsletter-tasks-wait-2", ["wait", "--for", "60"], seconds=360, variables={"A": "b"})
    container = waiting["spec"]["template"]["spec"]["containers"][0]
    assert container["command"][-3:] == ["wait", "--for", "60"]
    assert {one["name"]: one.get("value") for one in container["env"]}["A"] == "b"
    assert container["envFrom"] == worker["spec"]["template"]["spec"]["containers"][0]["envFrom"]
    assert "livenessProbe" not in container
    labels = waiting["spec"]["template"]["metadata"]["labels"]
    for item in made.objects:
        if item["kind"] in {"Deployment", "PodDisruptionBudget"}:
            assert not selects(item["spec"]["selector"]["matchLabels"], labels), item["metadata"]["name"]
