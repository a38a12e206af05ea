"""What is written beside what nuages would write, and can't be: all of it is told before anything is touched."""

from __future__ import annotations

import pytest

from nuages.app.components import resolve
from nuages.checks import objects
from nuages.checks.spec import not_built
from nuages.checks.walls import check
from nuages.errors import SpecInvalid
from nuages.render.manifest import render
from nuages.render.release import Release
from nuages.spec.load import load, parse

pytestmark = pytest.mark.unit

SPEC = """\
name: blog
image: registry.example.com/blog
web: {main: {replicas: 2}}
services: {postgres: {run: {storage: 10Gi}}}
databases: {default: postgres}
"""


def patch(kind="Deployment", name="blog-web-main", what="{spec: {minReadySeconds: 3}}"):
    return f"patches: [{{target: {{kind: {kind}, name: {name}}}, patch: {what}}}]\n"


@pytest.fixture
def found(tmp_path):
    def ids(more, extra=""):
        (tmp_path / "extra.yaml").write_text(extra)
        (tmp_path / "nuages.yaml").write_text(SPEC + more + "environments: {local: {}}\n")
        try:
            app = resolve(load(tmp_path / "nuages.yaml"), "local")
        except SpecInvalid as invalid:
            return [(one.id, one.place.path, one.hint) for one in invalid.findings]
        return [(one.id, one.place.path, one.hint) for one in check(app, None)]

    return ids


@pytest.mark.parametrize(
    ("more", "id_", "path", "hint"),
    [
        (patch(name="blog-web-man"), "app.E155", "patches.0.target", "blog-web-main"),
        (patch(kind="Deploymnt"), "app.E155", "patches.0.target", "Deployment"),
        (patch(what="{spec: {replicas: 2}}"), "app.E156", "patches.0", "leave it out"),
        (patch(what="{metadata: {name: other}}"), "app.E157", "patches.0", "objects"),
        (patch(what="{spec: {selector: {matchLabels: {a: b}}}}"), "app.E157", "patches.0", "objects"),
        (
            patch(what="{spec: {template: {metadata: {labels: {app.kubernetes.io/component: x}}}}}"),
            "app.E157",
            "patches.0",
            "objects",
        ),
        ("limits: {cpu: 100m}\n", "app.E160", "limits.cpu", "at least"),
        ("limits: {memory: 512Mi}\n", "app.E160", "limits.memory", "at least"),
        ("limits: {storage: 5Gi}\n", "app.E160", "limits.storage", "10240Mi at least"),
        ("limits: {pods: 3}\n", "app.E160", "limits.pods", "5 at least"),
        ("files: {/tmp: {configMap: a}}\n", "app.E161", "files./tmp", "path"),
        ("files: {/etc/a: {file: none.ini}}\n", "spec.E246", "files./etc/a.file", "folder"),
        ("files: {/etc/../a: {configMap: b}}\n", "spec.E248", "files./etc/../a", "without"),
        ("files: {/etc/a: {file: ../x}}\n", "spec.E215", "files./etc/a.file", "without"),
        ("files: {/etc/a: {configMap: x, secret: y}}\n", "spec.E220", "files./etc/a", "exactly one"),
        ("sidecars: {web: {image: 'a:1'}}\n", "spec.E248", "sidecars.web", "another name"),
        ("sidecars: {a: {image: 'a:1'}}\ninit: {a: {image: 'a:1'}}\n", "spec.E248", "init.a", "another name"),
        ("network: {egress: [{range: 300.1.2.3/24}]}\n", "spec.E249", "network.egress[0].range", "203"),
        ("network: {egress: [{host: a.b}, {host: A.b}]}\n", "spec.E249", "network.egress[1]", "leave one"),
        ("network: {dns: [{port: 5353}]}\n", "spec.E255", "network.dns[0]", "namespace"),
        ("network: {dns: [{namespace: a, range: 10.0.0.1/32}]}\n", "spec.E255", "network.dns[0]", "namespace"),
        ("network: {dns: [{range: 10.0.0.256/32}]}\n", "spec.E255", "network.dns[0].range", "169"),
    ],
)
def test_what_can_not_be_is_told_with_its_place(found, more, id_, path, hint):
    (finding,) = found(more)
    assert finding[:2] == (id_, path)
    assert hint in finding[2]


@pytest.mark.parametrize(
    ("text", "id_"),
    [
        ("apiVersion: v1\nkind: ClusterRole\nmetadata: {name: a}\n", "app.E158"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: other}\n", "app.E158"),
        ("apiVersion: v1\nkind: Service\nmetadata: {name: blog-web-main}\n", "app.E158"),
        ("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n", "spec.E247"),
        ("apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {a: b}\n", "app.E159"),
        ("kind: ConfigMap\nmetadata: {name: a}\n", "spec.E247"),
        ("a: [\n", "spec.E247"),
        ("", "spec.E247"),
    ],
)
def test_objects_that_can_not_be_the_apps(found, text, id_):
    assert {one[:2] for one in found("objects: [extra.yaml]\n", text)} in ({(id_, "objects.0")}, {(id_, "objects[0]")})


@pytest.mark.parametrize(
    "more",
    [
        patch(),
        patch(kind="StatefulSet", name="blog-postgres", what="{spec: {minReadySeconds: 3}}"),
        patch(kind="NetworkPolicy", name="blog-metrics", what="{metadata: {labels: {team: a}}}"),
        "limits: {cpu: 4, memory: 8Gi, storage: 20Gi, pods: 20}\n",
        "objects: [extra.yaml]\n",
        "files: {/etc/a: {file: extra.yaml}}\n",
        "network: {egress: [{host: a.b}, {host: a.b, port: 80}, {range: 10.0.0.0/8}]}\n",
    ],
)
def test_what_can_be_is_not_told(found, more):
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: mine}\n---\n"
    text += "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: b}\n"
    assert not found(more, text)


def test_a_sidecar_whose_image_changes_under_its_name_is_told():
    spec = "sidecars: {a: {image: registry.example.com/agent}}\n"
    app = resolve(parse((SPEC + spec + "environments: {local: {}}\n").encode(), "nuages.yaml"), "local")
    release = Release(number=1, template=1, build=not_built(app.image))
    found = objects.check(render(app, release).objects)
    assert [(one.id, one.place.path) for one in found] == [("objects.E110", "Deployment/blog-web-main.a")]
