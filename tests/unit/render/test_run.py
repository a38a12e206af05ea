"""The pod of `nuages run`: what the web has, and nothing that serves."""

from __future__ import annotations

import msgspec
import pytest

from nuages.render.manifest import render
from nuages.render.run import Run, project, psql

from .blog import blog, release

pytestmark = pytest.mark.unit
APP, RELEASE = blog("local"), release()
ASKED = Run(name="blog-run-abcde", command=("python", "manage.py", "check"), by="ada@laptop", ttl=3600)


def template():
    web = next(item for item in render(APP, RELEASE).web if item["kind"] == "Deployment")
    return web["spec"]["template"]


def named(container):
    return {variable["name"]: variable.get("value") for variable in container["env"]}


def test_it_has_the_webs_image_environment_volumes_and_security_and_nothing_that_serves():
    web, pod = template()["spec"], project(APP, template(), ASKED)["spec"]
    serving, container = web["containers"][0], pod["containers"][0]
    for field in ("image", "envFrom", "securityContext", "volumeMounts"):
        assert container[field] == serving[field]
    for field in ("volumes", "securityContext", "serviceAccountName", "automountServiceAccountToken"):
        assert pod[field] == web[field]
    assert not {"ports", "startupProbe", "readinessProbe", "livenessProbe", "lifecycle"} & container.keys()
    variables = named(container)
    assert variables["NUAGES_COMPONENT"] == "run"
    assert variables["DJANGO_SETTINGS_MODULE"] == named(serving)["DJANGO_SETTINGS_MODULE"]
    assert not {"NUAGES_PORT", "NUAGES_METRICS_PORT"} & variables.keys()


def test_no_service_and_no_budget_of_the_app_selects_it():
    labels = project(APP, template(), ASKED)["metadata"]["labels"]
    for item in render(APP, RELEASE).objects:
        found = item.get("spec", {}).get("selector")
        if found and item["kind"] != "PersistentVolumeClaim":
            assert not found.get("matchLabels", found).items() <= labels.items(), item["metadata"]["name"]


def test_its_time_is_limited_and_it_is_never_started_again():
    spec = project(APP, template(), ASKED)["spec"]
    assert (spec["activeDeadlineSeconds"], spec["restartPolicy"]) == (3600, "Never")


@pytest.mark.parametrize(
    ("tty", "stdin", "waits", "once"),
    [(True, True, True, False), (False, True, True, True), (False, False, False, None)],
)
def test_a_pipe_ends_with_its_writer_a_terminal_stays_and_alone_it_starts_at_once(tty, stdin, waits, once):
    asked = msgspec.structs.replace(ASKED, tty=tty, stdin=stdin)
    container = project(APP, template(), asked)["spec"]["containers"][0]
    assert (container["command"] != list(ASKED.command)) is waits
    assert container["command"][-3:] == list(ASKED.command)
    assert container.get("stdinOnce") is once


def test_another_memory_limit_is_both_request_and_limit():
    asked = msgspec.structs.replace(ASKED, memory="1Gi")
    resources = project(APP, template(), asked)["spec"]["containers"][0]["resources"]
    assert resources["limits"]["memory"] == resources["requests"]["memory"] == "1Gi"


def test_it_has_the_webs_memory_and_sets_little_processor_aside_so_that_a_left_shell_blocks_nothing():
    resources = project(APP, template(), ASKED)["spec"]["containers"][0]["resources"]
    serving = template()["spec"]["containers"][0]["resources"]
    assert resources["limits"] == serving["limits"]
    assert resources["requests"] == serving["requests"] | {"cpu": "50m"}


def test_the_databases_client_gets_its_password_by_reference_only():
    pod = psql(APP, ASKED)
    (password,) = [one for one in pod["spec"]["containers"][0]["env"] if one["name"] == "PGPASSWORD"]
    assert password["valueFrom"]["secretKeyRef"] == {"name": "blog-postgres", "key": "password"}
