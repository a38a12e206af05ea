"""How an environment stands: what is made of what was seen."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from nuages.cli.screen import lines
from nuages.cli.wording import plain
from nuages.errors import Refused
from nuages.release import brief, picture, record, status
from nuages.release.seen import Hold, Problem, Seen, Status
from nuages.release.site import Site
from nuages.release.usage import Usage, cpu, measured, memory, of_pod, quantity, together
from nuages.render import pause

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SITE = Site("blog", "local", "blog-local", "blog-local", hosts=("blog.localhost",))
LABELS = {**SITE.labels, "app.kubernetes.io/component": "web", "nuages.dev/key": "main"}


def release(number: int, **told: object) -> dict[str, object]:
    """A record's ConfigMap, as far as a status reads it."""
    body = {
        "schema": 3,
        "number": number,
        "outcome": "live",
        "build": {"reference": "r@sha256:1"},
        "passed": [],
        **told,
    }
    metadata = {"name": f"blog-release-{number}", "labels": {"nuages.dev/kind": "release"}}
    return {"kind": "ConfigMap", "metadata": metadata, "data": {"record": json.dumps(body)}, "binaryData": {}}


def web(ready: int = 2, wanted: int = 2) -> dict[str, object]:
    """A Deployment."""
    counts = {"observedGeneration": 1, "updatedReplicas": wanted, "replicas": wanted, "readyReplicas": ready}
    return {
        "kind": "Deployment",
        "metadata": {"name": "blog-web-main", "uid": "d", "generation": 1, "labels": LABELS},
        "spec": {"replicas": wanted, "selector": {"matchLabels": LABELS}},
        "status": {**counts, "availableReplicas": ready},
    }


def pod(name: str, restarts: int = 0) -> dict[str, object]:
    """One of its pods."""
    resources = {"requests": {"cpu": "50m", "memory": "256Mi"}, "limits": {"memory": "256Mi"}}
    return {
        "kind": "Pod",
        "metadata": {"name": name, "uid": name, "labels": LABELS},
        "spec": {"containers": [{"name": "web", "resources": resources}]},
        "status": {"phase": "Running", "containerStatuses": [{"name": "web", "restartCount": restarts}]},
    }


def shown(seen: Seen, site: Site = SITE, **more: object) -> tuple[Status, list[str]]:
    """The value, and its screen without styles."""
    status = picture.picture(site, seen, NOW, "here", **more)
    return status, lines(status, NOW, lambda text, _: text)


def test_what_serves_is_the_newest_release_that_went_live_and_what_it_uses_stands_beside_what_it_asked_for():
    metrics = [
        {"metadata": {"name": name}, "containers": [{"usage": {"cpu": "12000000n", "memory": "90Mi"}}]}
        for name in ("one", "two")
    ]
    seen = Seen(
        {
            "ConfigMap": [release(9), release(10, live="2026-11-22T09:00:00Z")],
            "Deployment": [web()],
            "Pod": [pod("one", restarts=1), pod("two")],
        },
        used=measured(metrics),
    )
    status, screen = shown(seen)
    assert (status.release, status.latest, status.next, status.problems) == (10, None, None, [])
    assert screen == [
        "blog  release 10, live for 3 h  in blog-local (here)",
        "✓ blog-web-main            2/2 ready  1 restart  cpu 24m of 100m  memory 180Mi of 512Mi",
        "  http://blog.localhost",
    ]


def test_a_cluster_that_measures_nothing_is_no_reason_for_empty_columns():
    _, screen = shown(Seen({"ConfigMap": [release(1)], "Deployment": [web()], "Pod": [pod("one")]}))
    assert "✓ blog-web-main            2/2 ready" in screen


@pytest.mark.parametrize(
    ("seen", "wanted"),
    [
        (Seen({}), "nuages deploy"),
        (Seen({"ConfigMap": [release(1, outcome="running", command="nuages rollback")]}), "nuages rollback"),
        (Seen({"ConfigMap": [release(1, outcome="running", command="secrets rotate X")]}), "nuages secrets rotate X"),
        (Seen({"ConfigMap": [release(2, outcome="running", paused={"reason": "x", "hint": "y"})]}), "nuages promote"),
        (Seen({}, Hold("ann", "now", "", "", by_hand=True)), "nuages unlock"),
        (Seen({}, Hold("ann", "now", "nuages deploy", "", by_hand=False)), None),
        (Seen({"ConfigMap": [release(3, outcome="failed", failure="no")]}), "nuages releases show 3"),
    ],
)
def test_the_next_step_is_one_command(seen, wanted):
    assert shown(seen)[0].next == wanted


def test_what_is_not_ready_leads_to_its_log_and_the_reason_is_below():
    seen = Seen({"ConfigMap": [release(1)], "Deployment": [web(ready=1)]})
    status, screen = shown(seen, why=[Problem("blog-web-main", "it crashed", "KeyError: 'X'", "set X")])
    assert status.next == "nuages logs web-main"
    assert screen[1:] == [
        "✗ blog-web-main            1/2 ready  1 of 2 available",
        "  http://blog.localhost",
        "✗ blog-web-main: it crashed",
        "    KeyError: 'X'",
        "  hint  set X",
        "next  nuages logs web-main",
    ]


def test_a_schedule_whose_last_run_failed_is_wrong():
    cron = {
        "kind": "CronJob",
        "metadata": {"name": "blog-schedule-sweep", "uid": "c", "labels": {"nuages.dev/key": "sweep"}},
        "spec": {"schedule": "0 3 * * *"},
        "status": {"lastScheduleTime": "2026-11-22T03:00:00Z"},
    }
    job = {
        "kind": "Job",
        "metadata": {"name": "s-1", "uid": "j", "ownerReferences": [{"kind": "CronJob", "uid": "c"}]},
        "spec": {},
        "status": {
            "startTime": "2026-11-22T03:00:00Z",
            "conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}],
        },
    }
    status, screen = shown(Seen({"ConfigMap": [release(1)], "CronJob": [cron], "Job": [job]}))
    assert "✗ blog-schedule-sweep      0 3 * * *  failed 9 h ago" in screen
    assert [problem.hint for problem in status.problems] == ["nuages logs sweep"]
    assert status.jobs == []


def test_a_certificate_that_is_not_there_yet_says_so_and_one_that_is_none_is_wrong():
    secured = SITE._replace(tls=True, certificate="blog-tls")
    _, screen = shown(Seen({"ConfigMap": [release(1)]}), secured)
    assert screen[1:] == ["… blog-tls                 certificate: its end is not known", "  https://blog.localhost"]
    status, _ = shown(
        Seen({"ConfigMap": [release(1)]}, secret={"data": {"tls.crt": "eA==", "tls.key": "eA=="}}), secured
    )
    assert "certificate is no certificate with its key" in status.problems[0].summary


def test_a_record_of_a_newer_nuages_is_refused():
    with pytest.raises(Refused, match="newer nuages"):
        brief.records([release(1, schema=record.SCHEMA + 1)])
    assert brief.SHAPE == record.SCHEMA


def test_for_programs_what_has_names_is_an_object():
    status, _ = shown(Seen({"ConfigMap": [release(1)], "Deployment": [web()], "Pod": [pod("one")]}))
    told = json.loads(json.dumps(plain(status)))
    assert told["components"][0]["usage"]["memory_request"] == 256 * 1024**2
    assert (told["schema"], told["metered"], told["lock"]) == (1, False, None)


@pytest.mark.parametrize(
    ("text", "amount"), [("12345678n", 0.012345678), ("250m", 0.25), ("2", 2), ("128Mi", 128 * 1024**2), ("1k", 1000)]
)
def test_quantities_are_read_as_the_api_writes_them(text, amount):
    assert quantity(text) == pytest.approx(amount)


def test_a_container_without_a_limit_leaves_its_pod_without_one():
    bare = pod("one")
    bare["spec"]["containers"].append({"name": "other", "resources": {"requests": {"cpu": "1"}}})
    assert of_pod(bare, None) == Usage(cpu_request=1050)
    assert together([]) == Usage()
    assert (cpu(250), cpu(1500), memory(180 * 1024**2), memory(1536 * 1024**2)) == ("250m", "1.5", "180Mi", "1.5Gi")


def test_a_page_in_front_is_told_whoever_asks():
    on = {**web(), "metadata": {**web()["metadata"], "annotations": {pause.ON: '{"since": "2026-11-22T09:30:00Z"}'}}}
    status, screen = shown(Seen({"ConfigMap": [release(1, live="2026-11-22T09:00:00Z")], "Deployment": [on]}))
    assert status.maintenance == "2026-11-22T09:30:00Z"
    assert picture._PAGE == pause.ON
    assert "… a page is in front since 2026-11-22 09:30; nuages maintenance off ends it" in screen
    assert shown(Seen({"Deployment": [web()]}))[0].maintenance is None


@pytest.mark.parametrize(
    ("restarts", "code", "running", "began"),
    [
        (1, 0, "2026-11-22T11:59:55Z", True),
        (1, 0, "2026-11-22T11:59:00Z", False),
        (1, 3, "2026-11-22T11:59:55Z", False),
        (2, 0, "2026-11-22T11:59:55Z", False),
        (1, 0, None, False),
    ],
)
def test_a_pod_that_ended_as_it_was_told_and_began_again_is_given_the_time_to(restarts, code, running, began):
    found = {
        "restartCount": restarts,
        "lastState": {"terminated": {"exitCode": code}},
        "state": {"running": {"startedAt": running}} if running else {"waiting": {"reason": "CrashLoopBackOff"}},
    }
    old = {"metadata": {"creationTimestamp": "2026-11-22T09:00:00Z"}, "status": {"containerStatuses": [found]}}
    assert status._began(old, NOW) is began


def test_a_new_pod_that_does_not_come_is_no_standstill_though_all_the_old_ones_are_ready():
    stuck = web()
    stuck["status"] |= {"updatedReplicas": 1, "replicas": 3, "unavailableReplicas": 1}
    assert picture.still(Seen({"Deployment": [web()]}), NOW)
    assert not picture.still(Seen({"Deployment": [stuck]}), NOW)
    assert not picture.still(Seen({"Deployment": [web(ready=1)]}), NOW)


@pytest.mark.parametrize("outcome", ["running", "live"])
async def test_a_pod_that_finds_no_node_says_so_at_once_amid_a_release_too(outcome, monkeypatch):
    """Time alone does not mend that, however young the pod is."""
    monkeypatch.setattr(status, "utc", lambda: NOW)
    made, stuck = web(ready=0), pod("blog-web-main-1-x")
    revision = {"deployment.kubernetes.io/revision": "1"}
    made["metadata"] |= {"namespace": "blog-local", "annotations": revision}
    about = {"name": "blog-web-main-1", "uid": "r", "namespace": "blog-local", "annotations": revision}
    replicas = {"metadata": about | {"ownerReferences": [{"uid": "d", "controller": True}]}}
    stuck["metadata"] |= {
        "creationTimestamp": "2026-11-22T11:59:58Z",
        "namespace": "blog-local",
        "ownerReferences": [{"uid": "r", "controller": True}],
    }
    unscheduled = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "0/1 nodes are available: 1 Insufficient cpu.",
        "lastTransitionTime": "2026-11-22T11:59:58Z",
    }
    stuck["status"] = {"phase": "Pending", "conditions": [unscheduled]}

    class Cluster:
        context = "here"

        async def list(self, *_: object, **__: object) -> SimpleNamespace:
            return SimpleNamespace(items=[])

    maps = [release(2, outcome=outcome, started="2026-11-22T11:59:00Z")]
    seen = Seen({"Deployment": [made], "ReplicaSet": [replicas], "Pod": [stuck], "ConfigMap": maps})
    (problem,) = (await status.told(SITE, seen, Cluster(), None)).problems
    assert problem.summary == "blog-web-main-1-x finds no node"
    assert "no node has enough cpu left" in problem.detail


def test_what_to_type_next_is_for_the_environment_that_is_shown():
    site = SITE._replace(environment="staging")
    waits = {"phase": "canary", "reason": "10 % have it", "hint": "nuages promote goes on, nuages abort takes it back"}
    maps = [release(2, outcome="running", paused=waits, started="2026-11-22T11:59:00Z"), release(1)]
    _, screen = shown(Seen({"Deployment": [web()], "ConfigMap": maps}), site)
    assert "  nuages promote -e staging goes on, nuages abort -e staging takes it back" in screen
    _, screen = shown(Seen({}), site)
    assert screen[-1] == "next  nuages deploy -e staging"
