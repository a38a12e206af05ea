"""What webs, workers, beat and folders can't be together, or not with the image that there is."""

from __future__ import annotations

import msgspec
import pytest

from nuages.app.build import Build
from nuages.app.components import resolve
from nuages.checks.app import check
from nuages.findings import Finding
from nuages.spec.load import parse

pytestmark = pytest.mark.unit

TWO = "web: {main: {replicas: 2}}\n"
ONE = "web: {main: {replicas: 1}}\n"
REDIS = "services: {redis: {run: }}\n"
BUILD = Build(
    reference="a/b@sha256:0",
    wsgi="b.wsgi:application",
    settings="b.settings",
    static_root="/app/static/all",
    media_root="/app/media",
)
FILE = msgspec.structs.replace(BUILD, media_root=None, migrations={"a": ["1"]}, engines={"default": "sqlite"})
ELSEWHERE = msgspec.structs.replace(FILE, engines={"default": "postgresql"})
MEDIA = "media: {volume: {size: 1Gi}}\n"


def findings(text: str, build: Build | None = None) -> list[Finding]:
    spec = parse(f"name: blog\nimage: a/b\n{text}\nenvironments: {{local: }}\n".encode(), "nuages.yaml")
    return check(resolve(spec, "local"), build)


@pytest.mark.parametrize(
    ("text", "build", "expected"),
    [
        (f"{TWO}workers: {{w: {{celery: b}}}}", None, [("app.E107", "workers.w.celery")]),
        (f"{TWO}beat: {{celery: b}}", None, [("app.E107", "beat.celery")]),
        (f"{TWO}{REDIS}workers: {{w: {{celery: b}}}}", None, []),
        (f"{TWO}secrets: {{CELERY_BROKER_URL: }}\nworkers: {{w: {{celery: b}}}}", None, []),
        (f"{TWO}secrets: {{CLOUDAMQP_URL: }}\nworkers: {{w: {{celery: b}}}}", None, []),
        (f"{TWO}workers: {{w: {{command: [manage.py, qcluster]}}}}", None, []),
        (
            f"{TWO}{REDIS}workers: {{w: {{celery: b, longestTask: 2h}}}}",
            None,
            [("app.W108", "workers.w.longestTask")],
        ),
        (f"{REDIS}web: {{main: {{replicas: 500, resources: {{cpu: 3}}}}}}", None, [("app.E118", "services.redis.run")]),
        ("web: {main: {replicas: 2, port: 9464}}", None, [("app.E109", "web.main.port")]),
        ("web: {main: {replicas: 2, port: 9464}}\nobservability: {metrics: false}", None, []),
        (
            "web: {main: {replicas: 2, routes: /a}}\nexpose: {kind: nodePort}",
            None,
            [("app.E110", "expose.kind")],
        ),
        (
            "web: {main: {replicas: 2}, live: {replicas: 2, routes: /ws/}}\nexpose: {kind: loadBalancer}",
            None,
            [("app.W111", "web.live.routes")],
        ),
        ("web: {main: {replicas: 2}, live: {replicas: 2}}\nexpose: {kind: loadBalancer}", None, []),
        (f"{TWO}services: {{postgres: {{run: }}}}", None, [("app.W112", "services.postgres")]),
        (f"{MEDIA}web: {{main: {{replicas: 2, interface: asgi}}}}", BUILD, [("app.E113", "web.main.interface")]),
        (f"{MEDIA}web: {{main: {{replicas: 2, interface: asgi, command: [x]}}}}", BUILD, []),
        (
            f"{TWO}volumes: {{data: {{path: data, accessMode: ReadWriteOnce}}}}",
            None,
            [("app.E114", "volumes.data.accessMode")],
        ),
        (
            f"{ONE}workers: {{w: {{command: [x]}}}}\nvolumes: {{data: {{path: data, accessMode: ReadWriteOnce}}}}",
            None,
            [("app.I104", "web.main.replicas"), ("app.E114", "volumes.data.accessMode")],
        ),
        (
            f"{ONE}volumes: {{data: {{path: data, accessMode: ReadWriteOnce}}}}",
            None,
            [("app.I104", "web.main.replicas"), ("app.W115", "volumes.data.accessMode")],
        ),
        (f"{TWO}{MEDIA}volumes: {{data: data, tmp: {{path: var, temporary: true}}}}", BUILD, []),
        (f"{TWO}{MEDIA}volumes: {{data: static}}", BUILD, [("app.E116", "volumes.data.path")]),
        (f"{TWO}{MEDIA}volumes: {{data: media/}}", BUILD, [("app.E117", "volumes.data.path")]),
        (f"{TWO}volumes: {{data: media}}", BUILD, []),
        (TWO, FILE, [("app.E119", "databases")]),
        (f"{TWO}volumes: {{data: {{path: data, temporary: true}}}}", FILE, [("app.E119", "databases")]),
        (f"{TWO}volumes: {{data: data}}", FILE, []),
        (f"{TWO}services: {{postgres: {{run: }}}}\ndatabases: {{default: postgres}}", FILE, []),
        (TWO, ELSEWHERE, []),
    ],
)
def test_what_cannot_work_is_found_at_its_place_and_nothing_else(
    text: str, build: Build | None, expected: list[tuple[str, str]]
) -> None:
    found = findings(text, build)
    assert [(finding.id, finding.place.path) for finding in found] == expected
    assert all(finding.hint for finding in found)


def test_a_missing_interface_is_told_with_the_one_there_is() -> None:
    (finding,) = findings(f"{MEDIA}web: {{main: {{replicas: 2, interface: asgi}}}}", BUILD)
    assert finding.message == "the project has no ASGI application"
    assert finding.hint == "interface: wsgi"
