"""Another major version of PostgreSQL: which volume its set has, and what the pod that fills it may touch."""

from __future__ import annotations

import pytest

from nuages.app.components import App, resolve
from nuages.app.objects import Object
from nuages.release.services.change import claimed, major
from nuages.release.services.look import fitting
from nuages.release.services.volumes import full
from nuages.render import upgrade
from nuages.render.labels import DATA
from nuages.render.manifest import services
from nuages.spec.load import parse

pytestmark = pytest.mark.unit

SPEC = """\
name: blog
image: a/b
services: {postgres: {run: {version: "17", storage: 2Gi, storageClass: fast}}}
environments: {local: }
"""


@pytest.fixture
def app() -> App:
    return resolve(parse(SPEC.encode(), "nuages.yaml"), "local")


def made(app: App) -> Object:
    return next(item for item in services(app) if item["kind"] == "StatefulSet")


def test_a_set_stands_on_the_volume_that_was_filled_for_its_version(app: App) -> None:
    moved = upgrade.housed(made(app), upgrade.moved(major(made(app))))
    assert (claimed(made(app)), claimed(moved)) == ("data-blog-postgres-0", "data-17-blog-postgres-0")
    (container,) = moved["spec"]["template"]["spec"]["containers"]
    assert {mount["name"] for mount in container["volumeMounts"]} == {"data-17", "run", "shm", "tmp"}
    assert upgrade.housed(moved, upgrade.CLAIM) == made(app)
    # What is applied over it later keeps its name.
    assert claimed(fitting(upgrade.housed(made(app), "data-17"), moved)) == "data-17-blog-postgres-0"


def test_the_new_volume_is_as_the_spec_says_and_full_when_it_says_so(app: App) -> None:
    claim = upgrade.claim(app, "data-17-blog-postgres-0", made(app))
    assert claim["spec"]["storageClassName"] == "fast"
    assert claim["spec"]["resources"] == {"requests": {"storage": "2Gi"}}
    assert claim["metadata"]["annotations"][DATA] == "true"  # nothing prunes it
    assert not full(claim)
    claim["metadata"]["annotations"][upgrade.FILLED] = "true"
    assert full(claim)
    assert not full(None)


def test_the_pod_that_fills_it_has_the_new_version_s_programs_and_that_volume_alone(app: App) -> None:
    job = upgrade.fill(app, "blog-upgrade-x", "data-17-blog-postgres-0")
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["image"] == "docker.io/library/postgres:17"
    claims = [volume["persistentVolumeClaim"] for volume in pod["volumes"] if "persistentVolumeClaim" in volume]
    assert claims == [{"claimName": "data-17-blog-postgres-0"}]
    assert job["spec"]["backoffLimit"] == 0  # a second attempt would find half a copy


@pytest.mark.parametrize("script", [upgrade.REOPEN, upgrade._FILL])
def test_no_two_dollar_signs_stand_side_by_side(script: str) -> None:
    assert "$$" not in script  # the kubelet makes one of them
