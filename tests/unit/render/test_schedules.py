"""Schedules as CronJobs: in the release's image, with the policies that were asked for."""

from __future__ import annotations

import pytest

from nuages.render.jobs_on_demand import declared, named
from nuages.render.manifest import render

from .blog import SPEC, blog, release

pytestmark = pytest.mark.unit

SCHEDULES = """\
schedules:
  clearsessions: {manage: [clearsessions], cron: "0 3 * * *", timeZone: Europe/Berlin, retries: 2, timeout: 10m}
  report: {command: [python, report.py], cron: "@hourly", overlap: replace, suspended: true, history: 1}
"""
WITH = SPEC.replace("environments:\n", SCHEDULES + "environments:\n", 1)


def made(environment="local", **changes):
    return {item["metadata"]["name"]: item for item in render(blog(environment, WITH), release(**changes)).schedules}


def pod(cron_job):
    return cron_job["spec"]["jobTemplate"]["spec"]["template"]["spec"]


def test_each_schedule_is_a_cron_job_with_its_policies():
    spec = made()["blog-schedule-clearsessions"]["spec"]
    job = spec["jobTemplate"]["spec"]
    assert (spec["schedule"], spec["timeZone"], spec["concurrencyPolicy"]) == ("0 3 * * *", "Europe/Berlin", "Forbid")
    assert (spec["startingDeadlineSeconds"], spec["suspend"]) == (3600, False)
    assert (job["backoffLimit"], job["activeDeadlineSeconds"]) == (2, 600)
    report = made()["blog-schedule-report"]["spec"]
    assert (report["concurrencyPolicy"], report["suspend"]) == ("Replace", True)
    assert (report["successfulJobsHistoryLimit"], report["failedJobsHistoryLimit"]) == (1, 1)


def test_its_pod_has_the_image_and_the_environment_of_the_release_and_no_probes():
    web = next(item for item in render(blog("local", WITH), release()).web if item["kind"] == "Deployment")
    serving = web["spec"]["template"]["spec"]["containers"][0]
    container = pod(made()["blog-schedule-clearsessions"])["containers"][0]
    assert container["command"] == ["python", "manage.py", "clearsessions"]
    assert container["image"] == serving["image"]
    assert container["envFrom"] == serving["envFrom"]
    assert {"startupProbe", "readinessProbe", "livenessProbe"} & container.keys() == set()
    assert pod(made()["blog-schedule-report"])["containers"][0]["command"] == ["python", "report.py"]


def test_an_eviction_is_none_of_its_tries():
    (rule,) = made()["blog-schedule-report"]["spec"]["jobTemplate"]["spec"]["podFailurePolicy"]["rules"]
    assert rule["action"] == "Ignore"
    assert pod(made()["blog-schedule-report"])["restartPolicy"] == "Never"


def test_it_goes_where_the_web_is_when_a_volume_is_one_nodes():
    assert "affinity" in pod(made("small")["blog-schedule-report"])
    assert "affinity" not in pod(made()["blog-schedule-report"])


def test_jobs_and_schedules_are_run_by_their_name_a_job_first():
    jobs = SCHEDULES + "jobs: {seed: {manage: [loaddata, demo], timeout: 5m}, report: {command: [python, now.py]}}\n"
    app = blog("local", SPEC.replace("environments:\n", jobs + "environments:\n", 1))
    assert list(declared(app)) == ["seed", "report", "clearsessions"]
    assert named(app, ("report",)).command == ["python", "now.py"]
    assert named(app, ("clearsessions",)).when == "0 3 * * *"
    assert named(app, ("seed",)).time == "5m"
    assert named(app, ("seed", "again")) is None
