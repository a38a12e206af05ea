"""Static files in a bucket: the Job that brings them, and what the project is told of it."""

from __future__ import annotations

import msgspec
import pytest

from nuages.app.components import resolve
from nuages.errors import SpecInvalid
from nuages.render.environment import settings_variables
from nuages.render.extras import EVICT
from nuages.render.manifest import render
from nuages.render.release import Release
from nuages.spec.load import parse
from nuages_runtime.overlay.change import World
from nuages_runtime.overlay.plan import plan

from .blog import release

pytestmark = pytest.mark.unit

SPEC = """
name: blog
image: registry.example.com/acme/blog
static: {bucket: {url: s3://blog-static/site, secret: blog-s3, endpoint: "http://s3.example.com:9000", CDN}}
environments: {local: {}}
"""
FILES = msgspec.structs.replace(
    release().build, static_root="/app/static", static_url="http://x/", static_tree="0123456789abcdef"
)


def app(cdn: str = "cdn: https://cdn.example.com"):
    return resolve(parse(SPEC.replace(", CDN", f", {cdn}" if cdn else "").encode(), "nuages.yaml"), "local")


def job(*, hashed: bool = False, running: int | None = 6):
    build = msgspec.structs.replace(FILES, static_hashed=hashed)
    made = render(app(), Release(number=7, template=7, build=build, running=running)).static
    assert [item["kind"] for item in made] == ["Job"]
    return made[0]


def test_a_job_of_the_release_uploads_before_any_page_names_a_file() -> None:
    made = job()
    container = made["spec"]["template"]["spec"]["containers"][0]
    told = {item["name"]: item.get("value") for item in container["env"]}
    assert made["metadata"]["name"] == "blog-static-7"
    # A node that is saved under it would have it begin anew.
    assert made["spec"]["template"]["metadata"]["annotations"][EVICT] == "false"
    assert (told["NUAGES_BUCKET"], told["NUAGES_RELEASE"], told["NUAGES_RUNNING"]) == (
        "s3://blog-static/site",
        "7",
        "6",
    )
    assert told["NUAGES_STATIC_TREE"] == "0123456789abcdef"
    assert told["AWS_ENDPOINT_URL_S3"] == "http://s3.example.com:9000"
    opening = [item["valueFrom"]["secretKeyRef"]["name"] for item in container["env"] if "valueFrom" in item]
    assert opening == ["blog-s3", "blog-s3"]
    assert "envFrom" not in container


def test_names_with_a_hash_of_their_own_stand_below_none() -> None:
    told = {item["name"] for item in job(hashed=True, running=None)["spec"]["template"]["spec"]["containers"][0]["env"]}
    assert not {"NUAGES_STATIC_TREE", "NUAGES_RUNNING"} & told


@pytest.mark.parametrize(
    ("cdn", "address"),
    [("cdn: https://cdn.example.com/", "https://cdn.example.com"), ("", "http://s3.example.com:9000/blog-static/site")],
)
def test_pages_name_files_at_the_cdn_or_in_the_bucket(cdn: str, address: str) -> None:
    environ = {name: value for name, value in settings_variables(app(cdn)).items() if value}
    assert environ["NUAGES_STATIC_URL"] == address
    own: dict[str, object] = {
        "STATIC_URL": "/static/",
        "STATIC_ROOT": "/app/static",
        "INSTALLED_APPS": ["django.contrib.staticfiles"],
        "MIDDLEWARE": ["whitenoise.middleware.WhiteNoiseMiddleware"],
    }
    environ["NUAGES_STATIC_TREE"] = "0123456789abcdef"
    changes = {change.setting: change.value for change in plan(World(own, environ, (5, 2), lambda _: True, "/app"))}
    assert changes["STATIC_URL"] == f"{address}/0123456789abcdef/"
    assert changes["WHITENOISE_STATIC_PREFIX"] == "/static/"


def test_another_host_of_the_project_s_own_choice_stays() -> None:
    own: dict[str, object] = {
        "STATIC_URL": "https://other.example.org/",
        "INSTALLED_APPS": ["django.contrib.staticfiles"],
    }
    environ = {"NUAGES_OVERLAY": "static", "NUAGES_STATIC_URL": "https://cdn.example.com"}
    changes = {change.setting: change for change in plan(World(own, environ, (5, 2), lambda _: True, "/app"))}
    assert changes["STATIC_URL"].action == "kept"


def test_static_files_are_in_one_place() -> None:
    with pytest.raises(SpecInvalid) as refused:
        parse(SPEC.replace(", CDN", "").replace("static: {", "static: {nginx: {}, ").encode(), "nuages.yaml")
    assert [finding.id for finding in refused.value.findings] == ["spec.E240"]


@pytest.mark.parametrize(
    ("beside", "path"),
    [
        ("media: {bucket: {url: s3://shop/, secret: s3}}", "static.bucket.url"),
        (
            "services: {postgres: {run: {backup: {to: {bucket: {url: s3://shop/dumps}}}}}}",
            "services.postgres.run.backup.to.bucket.url",
        ),
    ],
)
def test_nothing_of_ones_own_lies_where_everybody_reads(beside: str, path: str) -> None:
    text = f"""
name: shop
image: registry.example.com/shop
django: {{settings: shop.settings}}
web: {{main: {{}}}}
static: {{bucket: {{url: s3://shop}}}}
{beside}
environments: {{production: {{}}}}
"""
    with pytest.raises(SpecInvalid) as refused:
        parse(text.encode(), "nuages.yaml")
    assert [(finding.id, finding.place.path) for finding in refused.value.findings] == [("spec.E240", path)]
    parse(text.replace("static: {bucket: {url: s3://shop}", "static: {bucket: {url: s3://shop/static}").encode(), "n")
