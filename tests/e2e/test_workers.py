"""Workers, beat, redis and secrets on a real node: from nothing to tasks that run, and what is said when they can't."""

from __future__ import annotations

import json
import time
import urllib.request

import pytest
from waiting import becomes, status_of, steady, wait_for
from worker_project import site_in

pytestmark = pytest.mark.e2e
NAMESPACE = "site-local"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("site")


@pytest.fixture(scope="module")
def unset(folder, cluster):
    """The project, before its secret has a value, and what a deploy says to that."""
    project = site_in(folder / "site", cluster, NAMESPACE)
    return project, project.nuages("deploy", code=3).stderr


@pytest.fixture(scope="module")
def site(unset, kubectl):
    """The project, live; removed afterwards."""
    project, _ = unset
    project.nuages("secrets", "set", "GREETING", text="hunter2\n")
    project.nuages("deploy")
    yield project
    kubectl("delete", "namespace", NAMESPACE, "--wait=false")


@pytest.fixture
def ask(site, kubectl):
    """What the site answers."""
    (address,) = site.status()["addresses"]
    steady(lambda: status_of(address) == 200)

    def answer(path=""):
        with urllib.request.urlopen(f"{address}/{path}", timeout=60) as response:
            return json.load(response)

    return answer


def components(site):
    return {part["name"]: (part["ready"], part["wanted"]) for part in site.status()["components"]}


def test_a_secret_without_a_value_is_refused_before_anything_is_built_with_its_cure(unset):
    _, said = unset
    assert "nuages secrets set GREETING" in said
    assert "dependencies" not in said


def test_a_task_that_the_web_sends_is_worked_off_and_beat_sends_its_own(site, ask):
    before = ask()
    for _ in range(5):
        ask("send")
    wait_for(lambda: ask()["web"] == before["web"] + 5)
    wait_for(lambda: ask()["beat"] > before["beat"])


def test_a_value_that_was_set_is_what_the_project_reads_and_stands_nowhere_else(site, ask, kubectl):
    assert ask()["greeting"] == "hunter2"
    assert "hunter2" not in site.nuages("secrets", "list").stdout
    everything = "deployment,statefulset,configmap,job,pod"
    assert "hunter2" not in kubectl("-n", NAMESPACE, "get", everything, "-o", "yaml")


def test_a_long_task_ends_while_its_worker_is_replaced_and_whatever_becomes_of_beat_one_at_a_time_sends(
    site, ask, kubectl
):
    ask("long")
    wait_for(lambda: ask("told")["began"])
    site.edit(**{"env:\n": "env:\n  COLOUR: orange\n"})
    site.nuages("deploy", "--no-build")
    wait_for(lambda: ask("told")["ended"])
    told = ask("told")
    assert told["began"] == told["ended"], "done once, by the one that had it"

    beat, turns = "site-beat-0", len(told["turns"])
    # By force, the API server forgets a pod that may still run.
    kubectl("-n", NAMESPACE, "delete", "pod", beat, "--force", "--grace-period=0")
    wait_for(lambda: len(ask("told")["turns"]) > turns)
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": beat, "namespace": NAMESPACE}}
    path = f"/api/v1/namespaces/{NAMESPACE}/pods/{beat}/eviction"
    wait_for(lambda: kubectl("create", f"--raw={path}", "--filename=-", text=json.dumps(eviction)))
    wait_for(lambda: len(ask("told")["turns"]) > turns + 1)
    senders = ask("told")["turns"]
    assert len(senders) == len(set(senders)), "none sends after another one began to"
    becomes((1, 1), lambda: components(site)["site-beat"])


def test_the_status_has_each_component_the_web_first(site):
    wanted = [
        ("site-web-main", (1, 1)),
        ("site-worker-default", (2, 2)),
        ("site-beat", (1, 1)),
        ("site-postgres", (1, 1)),
        ("site-redis", (1, 1)),
    ]
    becomes(wanted, lambda: list(components(site).items()))


def test_a_celery_app_that_is_not_there_ends_the_release_before_the_web_and_the_old_workers_come_back(site, ask):
    site.edit(**{"{app: site_}": "{app: nosuch}"})
    said = site.nuages("deploy", "--no-build", code=4).stderr
    assert "there is no Celery app nosuch in the image" in said
    assert "was brought back" in said
    assert "nuages rollback" not in said, "nobody has to do it any more"
    assert "web" in ask()
    site.edit(**{"{app: nosuch}": "{app: site_}"})
    becomes((2, 2), lambda: components(site)["site-worker-default"])


def test_a_wrong_password_of_the_broker_ends_the_release_long_before_its_pods_are_given_up(site):
    wrong = "env:\n  CELERY_BROKER_URL: redis://:wrong@site-redis:6379/1\n"
    site.edit(**{"env:\n": wrong})
    began = time.monotonic()
    said = site.nuages("deploy", "--no-build", "--no-return", code=1).stderr
    site.edit(**{wrong: "env:\n"})
    assert "the broker refuses the user or the password" in said
    assert ":wrong@" not in said
    assert time.monotonic() - began < 550, "a rollout is given up after ten minutes"
    site.nuages("rollback")
    becomes((2, 2), lambda: components(site)["site-worker-default"])


def test_a_broken_beat_is_mended_by_the_next_deploy(site):
    site.edit(**{"beat: {celery: site_}": "beat: {celery: nosuch}"})
    assert "there is no Celery app nosuch" in site.nuages("deploy", "--no-build", "--no-return", code=1).stderr
    site.edit(**{"beat: {celery: nosuch}": "beat: {celery: site_}"})
    site.nuages("deploy", "--no-build")
    becomes((1, 1), lambda: components(site)["site-beat"])
