"""What a word on the command line means: components, and their pods."""

from __future__ import annotations

import textwrap

import pytest

from nuages.app.components import resolve
from nuages.errors import CommandFailed, UsageError
from nuages.release import named, resizing
from nuages.release.forwarding import Wanted, port_of, wanted
from nuages.spec.load import load

pytestmark = pytest.mark.unit
SPEC = """
name: blog
image: registry.example.com/acme/blog
web: {main: {}, api: {}}
services: {postgres: {run: {}}}
databases: {default: postgres}
environments: {local: {}}
"""


@pytest.fixture
def app(tmp_path):
    path = tmp_path / "nuages.yaml"
    path.write_text(SPEC)
    return resolve(load(path), "local")


def pod(name, component, key="", *, ready="True", phase="Running", created="2026-01-01T00:00:00Z", **about):
    return {
        "kind": "Pod",
        "metadata": {
            "name": name,
            "creationTimestamp": created,
            "labels": {"app.kubernetes.io/component": component, "nuages.dev/key": key},
            **about,
        },
        "spec": {"containers": [{"name": component, "ports": [{"name": "http", "containerPort": 8000}]}]},
        "status": {"phase": phase, "conditions": [{"type": "Ready", "status": ready}]},
    }


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("web", ["web-main", "web-api"]),
        ("web-main", ["web-main"]),
        ("api", ["web-api"]),
        ("blog-web-api", ["web-api"]),
        ("postgres", ["postgres"]),
    ],
)
def test_a_component_is_meant_by_its_kind_its_key_or_both(app, asked, found):
    assert sorted(map(str, named.meant(app, asked))) == sorted(found)


def test_a_name_typed_wrong_says_which_one_was_meant(app):
    with pytest.raises(UsageError) as wrong:
        named.meant(app, "postgrs")
    assert wrong.value.hint == "did you mean postgres?"


def test_a_kind_goes_before_a_key_of_the_same_name(tmp_path):
    path = tmp_path / "nuages.yaml"
    more = """
        workers: {web: {celery: {app: blog}}, backup: {celery: {app: blog}}}
        schedules: {backup: {manage: [dumpdata], cron: 0 3 * * *}}
        """
    path.write_text(
        SPEC.replace("{postgres: {run: {}}}", "{postgres: {run: {}}, redis: {run: {}}}") + textwrap.dedent(more)
    )
    app = resolve(load(path), "local")
    assert named.meant(app, "web") == [("web", "main"), ("web", "api")], "and the worker is called worker-web"
    looked = named.chooser(app, ["web"])
    assert (looked("web", "main", ""), looked("worker", "web", "")) == (True, False)
    looked = named.chooser(app, ["backup"])
    assert all(looked(*pod, "") for pod in (("worker", "backup"), ("schedule", "backup"), ("backup", "postgres")))


def test_of_a_component_the_pod_is_taken_that_has_been_ready_for_longest(app):
    pods = [
        pod("blog-web-main-1", "web", "main", ready="False", created="2025-01-01T00:00:00Z"),
        pod("blog-web-main-2", "web", "main", created="2026-01-02T00:00:00Z"),
        pod("blog-web-main-3", "web", "main"),
        pod("blog-web-main-4", "web", "main", created="2024-01-01T00:00:00Z", deletionTimestamp="x"),
    ]
    assert named.choose(app, "web-main", pods)["metadata"]["name"] == "blog-web-main-3"
    assert named.choose(app, "web-main-2", pods)["metadata"]["name"] == "blog-web-main-2"
    with pytest.raises(CommandFailed, match="no pod of web-api runs"):
        named.choose(app, "web-api", pods)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("5432", Wanted(None, "5432")),
        ("15432:5432", Wanted(15432, "5432")),
        (":5432", Wanted(0, "5432")),
        ("8000:http", Wanted(8000, "http")),
    ],
)
def test_a_port_is_written_as_kubectl_does(written, meant):
    assert wanted(written) == meant


@pytest.mark.parametrize("written", ["", "a:1", "1:", "70000", "70000:1", "0"])
def test_what_is_no_port_is_refused(written):
    with pytest.raises(UsageError):
        wanted(written)


def test_a_port_has_a_number_a_name_or_is_the_first():
    web = pod("a", "web")
    assert [port_of(web, asked) for asked in ("", "http", "9")] == [8000, 8000, 9]
    with pytest.raises(UsageError, match="no port nosuch"):
        port_of(web, "nosuch")


def test_numbers_of_pods_are_written_with_their_component():
    assert resizing.asked(["web=5", "worker=0"], reset=False) == {"web": 5, "worker": 0}
    assert resizing.asked(["web"], reset=True) == {"web": None}
    for words, reset in ((["web"], False), (["web=x"], False), (["web=-1"], False), (["web=1"], True)):
        with pytest.raises(UsageError):
            resizing.asked(words, reset=reset)
