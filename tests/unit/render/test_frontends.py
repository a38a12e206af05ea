"""Front ends and static files by nginx: their objects, what their configuration says, and where paths lead."""

from __future__ import annotations

import re

import msgspec
import pytest

from nuages.app.build import Build
from nuages.app.components import App, resolve
from nuages.render import nginx
from nuages.render.destinations import destinations
from nuages.render.exposure import exposure
from nuages.render.frontends import earlier, frontends, with_earlier
from nuages.render.static import static, with_own, without
from nuages.spec.load import parse

from .blog import release

pytestmark = pytest.mark.unit

SPA = "frontends: {spa: {directory: web, command: [npm, run, build], output: dist, routes: [/app/]"
INGRESS = "expose: {kind: ingress, class: traefik, hosts: [blog.example.com]}\n"


def app(text: str) -> App:
    spec = parse(f"name: blog\nimage: a/b\nweb: {{main: {{}}}}\n{text}\nenvironments: {{local: }}\n".encode(), "n.yaml")
    return resolve(spec, "local")


def built(digit: str = "2") -> Build:
    return msgspec.structs.replace(
        release().build,
        reference=f"a/b@sha256:{digit * 64}",
        frontends={"spa": f"sha256:{'f' * 64}"},
        static_root="/app/static",
        static_url="/static/",
        static_tree=digit * 16,
        static_hashed=True,
    )


@pytest.mark.parametrize(
    "name",
    [
        "/assets/index-BzPp74Jm.css",
        "/assets/LostPage-D-SmvEcl.js",
        "/assets/index-0oHMVgyk.js.map",
        "/js/app.3f2a9c1b.js",
        "/css/vendor.1f3a9c0b7d2e.css",
    ],
)
def test_what_has_a_hash_in_its_name_is_kept_for_ever(name: str) -> None:
    assert re.search(nginx.HASHED, name)


@pytest.mark.parametrize(
    "name",
    [
        "/index.html",
        "/sw.js",
        "/assets/my-component.js",
        "/assets/MyAboutPage-AboutUsd.js",
        "/icons/icon-1024x1024.png",
        "/icons/apple-launch-1125x2436.png",
        "/photos/beach-20240101.jpg",
        "/jquery-3.7.1.min.js",
        "/lib-a1-b2-c3.js",
        "/deadbeef.js",
    ],
)
def test_what_only_looks_like_it_is_asked_for_again(name: str) -> None:
    assert not re.search(nginx.HASHED, name)


def test_a_front_end_is_served_from_its_own_image_without_anything_of_the_project() -> None:
    spec = app(f"{SPA}, replicas: 2}}}}")
    made = {item["kind"]: item for item in frontends(spec, release(build=built()))}
    assert list(made) == ["ConfigMap", "Service", "Deployment", "PodDisruptionBudget"]
    assert "initContainers" not in made["Deployment"]["spec"]["template"]["spec"]
    pod = made["Deployment"]["spec"]["template"]["spec"]
    container = pod["containers"][0]
    assert container["image"] == f"a/b@sha256:{'f' * 64}"
    assert "env" not in container
    assert "envFrom" not in container
    assert made["Deployment"]["spec"]["replicas"] == 2
    assert made["ConfigMap"]["immutable"]
    assert {volume["configMap"]["name"] for volume in pod["volumes"] if "configMap" in volume} == {
        made["ConfigMap"]["metadata"]["name"]
    }


def test_another_configuration_is_another_config_map_and_so_another_pod() -> None:
    one, other = (
        frontends(app(f"{SPA}}}}}\n{more}"), release(build=built()))[0]["metadata"]["name"]
        for more in ("", "observability: {logs: text}")
    )
    assert one != other


def test_a_config_map_of_somebodys_own_stands_in_place_of_the_servers_part() -> None:
    config, _, _, deployment, _ = frontends(app(f"{SPA}, nginx: {{configMap: mine}}}}}}"), release(build=built()))
    assert list(config["data"]) == ["nginx.conf"]
    site = next(one for one in deployment["spec"]["template"]["spec"]["volumes"] if one["name"] == "site")
    assert site["configMap"] == {"name": "mine", "defaultMode": 0o444}


def test_the_files_of_earlier_releases_come_from_their_images_and_one_that_is_gone_is_left_out() -> None:
    spec = app(f"{SPA}}}}}")
    old, gone = "a/b@sha256:old", "a/b@sha256:gone"
    made = frontends(spec, msgspec.structs.replace(release(build=built()), fronts={"spa": (old, gone)}))
    assert earlier(made) == {"spa": (old, gone)}
    assert earlier(without(made, {gone})) == {"spa": (old,)}
    assert earlier(without(made, {gone, old})) == {"spa": ()}
    assert earlier(with_earlier(made, {"spa": ("a/b@sha256:new",)})) == {"spa": ("a/b@sha256:new",)}


def test_the_way_in_leads_to_webs_front_ends_and_static_files_the_longest_path_first() -> None:
    spec = app(f"{SPA}}}}}\nstatic: {{nginx: {{}}}}\n{INGRESS}")
    found = [(each.route, each.service) for each in destinations(spec, built())]
    assert found == [("/static/", "blog-static"), ("/app/", "blog-frontend-spa"), ("/", "blog-web-main")]
    paths = exposure(spec, built())[0]["spec"]["rules"][0]["http"]["paths"]
    assert {path["backend"]["service"]["name"] for path in paths} == {service for _, service in found}


def test_nginx_serves_all_files_of_this_release_and_what_lasts_of_those_before() -> None:
    spec = app("static: {nginx: {}}")
    new, old = built(), built("1")
    kept = tuple(files for files in (new.statics, old.statics) if files)
    made = static(spec, release(2, build=new, statics=kept))
    pod = next(item for item in made if item["kind"] == "Deployment")["spec"]["template"]["spec"]
    assert [(each["name"], each["image"]) for each in pod["initContainers"]] == [
        ("own-files", new.reference),
        ("files-0", new.reference),
        ("files-1", old.reference),
    ]
    assert pod["containers"][0]["image"] == nginx.IMAGE
    assert old.statics
    back = next(item for item in with_own(made, old.statics) if item["kind"] == "Deployment")
    inits = back["spec"]["template"]["spec"]["initContainers"]
    assert [each["image"] for each in inits] == [old.reference, new.reference, old.reference]


def test_nginx_is_there_for_one_release_too_and_not_for_a_project_without_static_files() -> None:
    spec = app("static: {nginx: {}}")
    assert static(spec, release(build=built()))
    assert not static(spec, release(build=msgspec.structs.replace(built(), static_tree="", static_root=None)))
