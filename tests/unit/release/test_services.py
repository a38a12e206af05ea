"""What becomes of a data store that differs from what is wanted: a table of both, and what is said."""

from __future__ import annotations

import copy

import pytest

from nuages.app.components import resolve
from nuages.app.objects import Object
from nuages.release.plan.shape import Field
from nuages.release.services.change import Way, stuck, way
from nuages.release.services.look import fitting
from nuages.render.manifest import services
from nuages.spec.load import parse

pytestmark = pytest.mark.unit

FIELDS = (Field(path="spec.template.spec.containers[redis].image", before="a", after="b"),)


def store(service: str, run: str) -> Object:
    spec = f"name: blog\nimage: a/b\nservices: {{{service}: {{run: {run}}}}}\nenvironments: {{local: }}\n"
    app = resolve(parse(spec.encode(), "nuages.yaml"), "local")
    return next(item for item in services(app) if item["kind"] in ("StatefulSet", "Deployment"))


def claim(size: str) -> Object:
    return {"spec": {"resources": {"requests": {"storage": size}}}}


@pytest.mark.parametrize(
    ("service", "has", "wanted", "expands", "finding"),
    [
        ("postgres", "{storage: 10Gi}", "{storage: 5Gi}", True, "release.E382"),
        ("postgres", "{storage: 5Gi}", "{storage: 10Gi}", True, None),
        ("postgres", "{storage: 5Gi}", "{storage: 10Gi}", None, None),
        ("postgres", "{storage: 5Gi}", "{storage: 10Gi}", False, "release.E383"),
        ("postgres", "{version: '16'}", "{version: '17'}", True, "release.E384"),
        ("postgres", "{resources: {memory: 1Gi}}", "{resources: {memory: 2Gi}}", True, None),
        ("redis", "{storage: 1Gi}", "{}", True, "release.E382"),
        ("redis", "{}", "{storage: 1Gi}", True, None),
        ("redis", "{storage: 1Gi, version: '7'}", "{storage: 1Gi, version: '8'}", True, None),
        ("redis", "{storage: 1Gi, version: '8'}", "{storage: 1Gi, version: '7'}", True, "release.E384"),
        ("redis", "{storage: 1Gi}", "{storage: 1Gi, engine: valkey}", True, "release.E384"),
        ("redis", "{}", "{engine: valkey}", True, None),
    ],
)
def test_what_would_lose_data_is_refused(
    service: str, has: str, wanted: str, expands: bool | None, finding: str | None
) -> None:
    live, asked = store(service, has), store(service, wanted)
    claims = live["spec"].get("volumeClaimTemplates")
    found = stuck(service, asked, live, claims[0] if claims else None, expands)
    assert [one.id for one in found] == ([finding] if finding else [])
    assert all(str(one.place).startswith(f"services.{service}.run.") and one.hint for one in found)


def test_a_volume_grows_and_says_to_what() -> None:
    live, wanted = store("rabbitmq", "{storage: 1Gi}"), store("rabbitmq", "{storage: 3Gi}")
    assert way(wanted, live, claim("1Gi"), ()) == (Way.GROW, "3Gi")
    # It was grown by somebody already, or by an apply that was stopped.
    assert way(wanted, live, claim("3Gi"), ()) == (Way.SAME, "")
    assert way(live, live, claim("1Gi"), FIELDS) == (Way.RESTART, "")


def test_a_cache_that_is_to_keep_is_made_anew() -> None:
    assert way(store("redis", "{storage: 1Gi}"), store("redis", "{}"), None, ()) == (Way.ANEW, "")


def test_a_set_is_applied_with_the_claims_that_it_was_made_with() -> None:
    live = copy.deepcopy(store("postgres", "{storage: 1Gi, resources: {memory: 1Gi}}"))
    wanted = store("postgres", "{storage: 2Gi, resources: {memory: 2Gi}}")
    made = fitting(wanted, live)
    assert made["spec"]["volumeClaimTemplates"] == live["spec"]["volumeClaimTemplates"]
    assert made["spec"]["template"] == wanted["spec"]["template"]
