"""A spec, or everything that is wrong with it."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from nuages.errors import SpecInvalid, UsageError
from nuages.findings import Finding
from nuages.spec.load import Spec, load, parse
from nuages.spec.model import Beat, BeatCelery, Folder, WorkerCelery

pytestmark = pytest.mark.unit

HEAD = "name: blog\nimage: registry.example.com/acme/blog\n"


def spec(text: str) -> Spec:
    return parse((HEAD + dedent(text)).encode(), "nuages.yaml")


def findings(text: str, *, head: str = HEAD) -> list[Finding]:
    with pytest.raises(SpecInvalid) as raised:
        parse((head + dedent(text)).encode(), "nuages.yaml")
    return list(raised.value.findings)


def told(text: str, *, head: str = HEAD) -> list[str]:
    return [f"{finding.place} {finding.message} {finding.id}" for finding in findings(text, head=head)]


def test_name_and_image_are_enough() -> None:
    base = spec("").base
    assert list(base.web) == ["main"]
    assert base.web["main"].replicas == 1
    assert base.services.postgres is None


def test_five_mistakes_are_five_findings_in_the_order_of_the_file() -> None:
    assert told(
        """\
        web:
          main:
            replcas: 3
            requestTimeout: 30
        services:
          postgrs: {run: {version: "17"}}
        databases: {default: postgres}
        expose: {kind: ingres, hosts: x}
        env: {DJANGO_SETTINGS_MODULE: blog.settings}
        """
    ) == [
        "nuages.yaml:5:5: web.main.replcas not a field; did you mean replicas? spec.E101",
        'nuages.yaml:6:21: web.main.requestTimeout "30" has no unit spec.E103',
        "nuages.yaml:8:3: services.postgrs not a field; did you mean postgres? spec.E101",
        'nuages.yaml:10:16: expose.kind "ingres" is not one of gateway, ingress, loadBalancer, nodePort spec.E105',
        "nuages.yaml:11:7: env.DJANGO_SETTINGS_MODULE is set by nuages spec.E203",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("web: {main: {replicas: many}}", 'nuages.yaml:3:24: web.main.replicas "many" is not a whole number spec.E102'),
        ("web: {main: {replicas: 2.5}}", "nuages.yaml:3:24: web.main.replicas 2.5 is not a whole number spec.E102"),
        ("web: {main: {replicas: -1}}", "nuages.yaml:3:24: web.main.replicas -1 is out of range spec.E107"),
        ("web: {}", "nuages.yaml:3:6: web has no entry spec.E109"),
        ("web: {Main: {}}", 'nuages.yaml:3:7: web.Main "Main" is not a short name spec.E108'),
        ("web: [main]", "nuages.yaml:3:6: web a list is not a map spec.E102"),
        (
            "web: {main: {resources: {memory: 256}}}",
            'nuages.yaml:3:34: web.main.resources.memory "256" has no unit spec.E103',
        ),
        (
            "web: {main: {resources: {cpu: lots}}}",
            'nuages.yaml:3:31: web.main.resources.cpu "lots" is not an amount of CPU spec.E106',
        ),
        (
            "web: {main: {requestTimeout: 0s}}",
            "nuages.yaml:3:30: web.main.requestTimeout must be more than nothing spec.E207",
        ),
        (
            "services: {postgres: {}}",
            "nuages.yaml:3:22: services.postgres says neither run nor cloudnativepg nor external spec.E220",
        ),
        (
            "databases: {default: postgres}",
            'nuages.yaml:3:22: databases.default.service no service "postgres" spec.E201',
        ),
        ("databases: {other: postgres}", "nuages.yaml:3:13: databases.other not a field spec.E101"),
        ("env: {A: 1}\nsecrets: {A: }", "nuages.yaml:3:7: env.A is among the secrets too spec.E202"),
        ("env: {PATH: /bin}", "nuages.yaml:3:7: env.PATH is set by nuages spec.E203"),
        ("env: {NUAGES_PORT: 1}", "nuages.yaml:3:7: env.NUAGES_PORT is set by nuages spec.E203"),
        ("env: {2FA: x}", 'nuages.yaml:3:7: env.2FA "2FA" is not an environment variable\'s name spec.E108'),
        ("env: {A: {configMap: flags}}", "nuages.yaml:3:10: env.A has no source, or two spec.E204"),
        ("env: {A: }", "nuages.yaml:3:9: env.A has no source, or two spec.E204"),
        (
            "secrets: {A: {generate: true, secret: s, key: k}}",
            "nuages.yaml:3:14: secrets.A has no source, or two spec.E204",
        ),
        ("env: {A: {value: x, key: k}}", "nuages.yaml:3:10: env.A has no source, or two spec.E204"),
        ("env: {A: {service: postgres}}", "nuages.yaml:3:10: env.A has no source, or two spec.E204"),
        (
            "env: {A: {service: redis, key: url}}",
            'nuages.yaml:3:20: env.A.service no service "redis" spec.E201',
        ),
        (
            "services: {redis: {run: }}\nenv: {A: {service: redis, key: hots}}",
            'nuages.yaml:4:32: env.A.key redis has no "hots" spec.E210',
        ),
        (
            "workers: {w: {celery: blog, command: [x]}}",
            "nuages.yaml:3:14: workers.w is of 2 kinds: celery, command spec.E211",
        ),
        ("workers: {w: {}}", "nuages.yaml:3:14: workers.w has nothing to run spec.E211"),
        ("workers: {w: {command: []}}", "nuages.yaml:3:24: workers.w.command has no entry spec.E109"),
        (
            "workers: {w: {celery: {app: my-app}}}",
            'nuages.yaml:3:29: workers.w.celery.app "my-app" is not a Celery app spec.E106',
        ),
        ("web: {main: {server: uvicorn}}", "nuages.yaml:3:22: web.main.server uvicorn does not speak wsgi spec.E212"),
        (
            "web: {main: {server: granian, command: [x]}}",
            "nuages.yaml:3:14: web.main.server means nothing with a command, which serves instead of granian spec.E212",
        ),
        ("web: {main: {port: 80}}", "nuages.yaml:3:20: web.main.port 80 is out of range spec.E107"),
        (
            "web: {main: {routes: /a/}, api: {routes: [/b, /a]}}",
            "nuages.yaml:3:47: web.api.routes[1] /a is answered by web.main already spec.E213",
        ),
        (
            "web: {main: {routes: /a/../b}}",
            "nuages.yaml:3:22: web.main.routes[0] /a/../b is a path that no request has spec.E213",
        ),
        ("web: {main: {routes: [a]}}", 'nuages.yaml:3:23: web.main.routes[0] "a" is not a route spec.E106'),
        (
            "build: {dockerfile: Dockerfile, packages: [libmagic1]}",
            "nuages.yaml:3:33: build.packages means nothing with build.dockerfile spec.E214",
        ),
        (
            "build: {dockerfile: ../Dockerfile}",
            "nuages.yaml:3:21: build.dockerfile ../Dockerfile leads out of the project spec.E215",
        ),
        (
            "volumes: {data: /data}",
            'nuages.yaml:3:17: volumes.data.path "/data" is not a path in the project spec.E106',
        ),
        (
            "volumes: {data: data/../..}",
            "nuages.yaml:3:17: volumes.data.path data/../.. leads out of the project spec.E215",
        ),
        ("volumes: {data: ./}", "nuages.yaml:3:17: volumes.data.path would hide the whole project spec.E215"),
        ("volumes: {a: data, b: data/}", "nuages.yaml:3:23: volumes.b.path is volumes.a already spec.E215"),
        (
            "volumes: {a: {path: data, temporary: true, accessMode: ReadWriteOnce}}",
            "nuages.yaml:3:44: volumes.a.accessMode means nothing with temporary spec.E216",
        ),
        ("volumes: {a: {path: data, size: 1}}", 'nuages.yaml:3:33: volumes.a.size "1" has no unit spec.E103'),
        ("media: {}", "nuages.yaml:3:8: media says neither volume nor bucket spec.E220"),
        ("expose: {kind: ingress}", "nuages.yaml:3:1: expose.hosts kind ingress needs them spec.E206"),
        (
            "expose: {kind: gateway, hosts: a.example.com}",
            "nuages.yaml:3:1: expose.class kind gateway needs it spec.E206",
        ),
        (
            "expose: {kind: ingress, hosts: a.example.com, nodePort: 30005}",
            "nuages.yaml:3:47: expose.nodePort means nothing with kind ingress spec.E205",
        ),
        ("expose: {kind: nodePort, nodePort: 80}", "nuages.yaml:3:36: expose.nodePort 80 is out of range spec.E107"),
        (
            "expose: {kind: ingress, hosts: [https://a.example.com]}",
            'nuages.yaml:3:33: expose.hosts[0] "https://a.example.com" is not a host name spec.E106',
        ),
        (
            "expose: {hosts: a.example.com, tls: {issuer: x, none: {}}}",
            "nuages.yaml:3:37: expose.tls TLS ends in exactly one place spec.E204",
        ),
        ("namespace: blog", "nuages.yaml:3:1: namespace not a field; did you mean name? spec.E101"),
        ("environments: [local]", "nuages.yaml:3:15: environments not a map of environments spec.E102"),
        ("environments: {Local: {}}", 'nuages.yaml:3:16: environments.Local "Local" is not a short name spec.E108'),
        ("environments: {local: 3}", "nuages.yaml:3:23: environments.local not a map spec.E102"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, expected: str) -> None:
    assert told(text) == [expected]


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("image: a/b\n", "nuages.yaml:1:1: name is missing spec.E104"),
        ("name: Blog\nimage: a/b\n", 'nuages.yaml:1:7: name "Blog" is not a name spec.E106'),
        ("name: blog\nimage: a/b:latest\n", 'nuages.yaml:2:8: image "a/b:latest" is not an image repository spec.E106'),
        ("- name\n", "nuages.yaml:1:1 not a map spec.E102"),
        ("hello\n", "nuages.yaml:1:1 not a map spec.E102"),
    ],
)
def test_what_every_spec_needs_is_missed(head: str, expected: str) -> None:
    assert told("", head=head) == [expected]


def test_a_misspelled_field_is_looked_into_as_if_it_had_its_name() -> None:
    assert told("services: {postgrs: {run: {storage: 10, versoin: 17}}}") == [
        "nuages.yaml:3:12: services.postgrs not a field; did you mean postgres? spec.E101",
        "nuages.yaml:3:41: services.postgrs.run.versoin not a field; did you mean version? spec.E101",
    ]


def test_several_mistakes_in_one_list_keep_their_places() -> None:
    assert told('expose: {kind: ingress, hosts: ["a b", ok.example.com, "c d"]}') == [
        'nuages.yaml:3:33: expose.hosts[0] "a b" is not a host name spec.E106',
        'nuages.yaml:3:56: expose.hosts[2] "c d" is not a host name spec.E106',
    ]


def test_a_mistake_in_a_patch_is_told_in_the_patch() -> None:
    assert told(
        """\
        environments:
          production:
            web: {main: {replicas: three}}
            expose: {kind: ingress, hosts: [x], clas: traefik}
        """
    ) == [
        'nuages.yaml:5:28: environments.production.web.main.replicas "three" is not a whole number spec.E102',
        "nuages.yaml:6:41: environments.production.expose.clas not a field; did you mean class? spec.E101",
    ]


def test_a_mistake_that_a_patch_brings_out_in_the_base_names_the_environment() -> None:
    text = """\
        services: {postgres: {run: }}
        databases: {default: postgres}
        environments: {bare: {services: {postgres: null}}}
        """
    assert told(text) == [
        'nuages.yaml:4:22: databases.default.service no service "postgres" (in bare) spec.E201',
    ]


def test_a_patch_can_remove_only_what_is_there() -> None:
    assert told("environments: {local: {media: null}}") == [
        "nuages.yaml:3:24: environments.local.media removes what the base does not have spec.E208"
    ]


def test_a_patch_cannot_rename_the_app() -> None:
    assert [finding.id for finding in findings("environments: {local: {name: other}}")] == ["spec.E209"]


def test_a_base_mistake_is_told_once_however_many_environments_there_are() -> None:
    assert len(findings("web: {main: {replcas: 3}}\nenvironments: {a: {}, b: {}, c: {}}")) == 1


def test_what_a_project_calls_its_database_is_its_own_matter() -> None:
    text = "secrets: {DATABASE_URL: , POSTGRES_PASSWORD: {secret: rds, key: password}}"
    assert list(spec(text).base.secrets)
    assert list(spec(f"services: {{postgres: {{run: }}}}\ndatabases: {{default: postgres}}\n{text}").base.secrets)


def test_shorthand_means_its_canonical_form() -> None:
    base = spec(
        """\
        django: {python: 3.10}
        services: {postgres: {run: }}
        databases: {default: postgres}
        expose: {kind: loadBalancer, hosts: blog.example.com}
        env: {COLOR: orange, PORT_OFFSET: 010, DEBUG: false, EMPTY: ""}
        secrets: {SENTRY_DSN: }
        web: {main: {command: [serve, --port, 8000], routes: /}}
        workers: {default: {celery: blog}}
        beat: {celery: blog.celery:app}
        volumes: {data: var/data}
        build: {dependencies: production.txt}
        """
    ).base
    assert base.web["main"].command == ["serve", "--port", "8000"]
    assert base.web["main"].routes == ["/"]
    assert base.workers["default"].celery == WorkerCelery(app="blog")
    assert base.beat == Beat(celery=BeatCelery(app="blog.celery:app"))
    assert base.volumes == {"data": Folder(path="var/data")}
    assert base.build.dependencies.file == "production.txt"
    assert base.django.python == "3.10"
    assert base.services.postgres is not None
    assert base.services.postgres.run.version == "17"
    assert base.databases.default is not None
    assert base.databases.default.service == "postgres"
    assert base.expose is not None
    assert base.expose.hosts == ["blog.example.com"]
    assert {name: source.value for name, source in base.env.items()} == {
        "COLOR": "orange",
        "PORT_OFFSET": "010",
        "DEBUG": "false",
        "EMPTY": "",
    }
    assert not base.secrets["SENTRY_DSN"].generate


def test_the_overlay_is_switched_off_whole_or_in_parts() -> None:
    text = "django: {overlay: %s}\nenvironments: {local: {django: {overlay: false}}}"
    assert not spec(text % "false").base.django.overlay.enabled
    parts = spec(text % "{static: false}")
    assert (parts.base.django.overlay.enabled, parts.base.django.overlay.static) == (True, False)
    assert not parts.environments["local"].django.overlay.enabled


def test_a_secret_in_env_is_a_warning_that_does_not_repeat_it() -> None:
    (warning,) = spec("env: {STRIPE_API_KEY: sk-live-hunter2}").warnings
    assert (warning.id, warning.level) == ("spec.W210", "warning")
    assert "hunter2" not in str(warning)


def test_an_unknown_environment_is_named_with_its_neighbour() -> None:
    with pytest.raises(UsageError) as raised:
        spec("environments: {production: {}, local: {}}").environment("prodction")
    assert raised.value.hint == "did you mean production?"


def test_a_missing_file_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as raised:
        load(tmp_path / "nuages.yaml")
    assert "nuages init" in raised.value.hint
