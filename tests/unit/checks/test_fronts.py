"""What front ends and static files can't be together, or not with the image that there is."""

from __future__ import annotations

import pytest

from nuages.app.build import Build
from nuages.app.components import resolve
from nuages.checks.fronts import check
from nuages.errors import SpecInvalid
from nuages.spec.load import parse

pytestmark = pytest.mark.unit

SPA = "frontends: {spa: {directory: web, command: [npm, run, build], output: dist, routes: [/app/]}}\n"
NGINX = "static: {nginx: {}}\n"
INGRESS = "expose: {kind: ingress, hosts: [blog.example.com]}\n"
BALANCER = "expose: {kind: loadBalancer, hosts: [blog.example.com]}\n"
BUILD = Build(reference="a/b@sha256:0", wsgi="b.wsgi:application", settings="b.settings")


def text(said: str) -> bytes:
    web = "" if "web:" in said else "web: {main: {}}\n"
    return f"name: blog\nimage: a/b\n{web}{said}\nenvironments: {{local: }}\n".encode()


@pytest.mark.parametrize(
    ("said", "build", "expected"),
    [
        (SPA + INGRESS, None, []),
        (SPA + BALANCER, None, [("app.W140", "frontends.spa.routes")]),
        (NGINX + BALANCER, None, [("app.W140", "static.nginx")]),
        (SPA, BUILD, [("app.E141", "frontends.spa")]),
        (NGINX, BUILD, [("app.W142", "static.nginx")]),
    ],
)
def test_what_does_not_go_together_is_found(said: str, build: Build | None, expected: list[tuple[str, str]]) -> None:
    found = check(resolve(parse(text(said), "nuages.yaml"), "local"), build)
    assert [(finding.id, finding.place.path) for finding in found] == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (SPA.replace("[/app/]", "[/]"), "/ is answered by web.main already"),
        (SPA.replace("[/app/]", "[/app/, /app]"), "/app is answered by frontends.spa already"),
        (SPA + "web: {main: {routes: [/app]}}\n", "/app/ is answered by web.main already"),
        (SPA.replace("[/app/]", "[/a//b]"), "/a//b is a path that no request has"),
        (SPA.replace("directory: web", "directory: ../web"), "../web is outside the project"),
        (SPA.replace("output: dist", "output: ../dist"), "../dist is outside the folder of package.json"),
    ],
)
def test_what_no_front_end_can_be_is_refused_with_its_place(said: str, expected: str) -> None:
    with pytest.raises(SpecInvalid) as refused:
        parse(text(said), "nuages.yaml")
    assert [finding.message for finding in refused.value.findings] == [expected]
    assert refused.value.findings[0].place.line


def test_a_front_end_may_have_the_root_where_the_web_says_what_it_answers() -> None:
    said = SPA.replace("[/app/]", "[/]") + "web: {main: {routes: [/api/]}}\n"
    assert check(resolve(parse(text(said), "nuages.yaml"), "local"), None) == []
