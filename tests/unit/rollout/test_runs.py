"""How a schedule stands, from its CronJob and the Jobs beside it."""

import pytest

from nuages.rollout.runs import runs

CRON_JOB = {
    "kind": "CronJob",
    "metadata": {"name": "blog-schedule-clear", "uid": "c1", "labels": {"nuages.dev/key": "clear"}},
    "spec": {"schedule": "0 3 * * *", "timeZone": "Europe/Berlin", "suspend": False},
    "status": {"lastScheduleTime": "2026-11-21T02:00:00Z", "lastSuccessfulTime": "2026-11-20T02:00:09Z"},
}


def job(name, began, *conditions, owner="c1", **status):
    return {
        "metadata": {"name": name, "creationTimestamp": began, "ownerReferences": [{"uid": owner}]},
        "spec": {},
        "status": {"startTime": began, "conditions": [{"status": "True", **each} for each in conditions], **status},
    }


OLD = job("clear-1", "2026-11-20T02:00:00Z", {"type": "Complete"})
LATE = {"type": "Failed", "reason": "DeadlineExceeded"}


@pytest.mark.parametrize(
    ("jobs", "last", "of"),
    [
        ([OLD, job("clear-2", "2026-11-21T02:00:00Z", {"type": "Complete"})], "complete", "clear-2"),
        ([job("clear-2", "2026-11-21T02:00:00Z", LATE), OLD], "failed: took longer than it may", "clear-2"),
        ([OLD, job("clear-2", "2026-11-21T02:00:00Z", ready=1)], "running", "clear-2"),
        ([job("other-9", "2026-11-21T09:00:00Z", LATE, owner="c2"), OLD], "complete", "clear-1"),
        ([], "unknown", ""),
    ],
)
def test_the_newest_of_its_own_jobs_says_how_the_last_run_ended(jobs, last, of):
    found = runs(CRON_JOB, jobs)
    assert (found.said, found.job) == (last, of)
    assert found.ended_well == "2026-11-20T02:00:09Z"
    assert (found.key, found.cron, found.time_zone) == ("clear", "0 3 * * *", "Europe/Berlin")


def test_one_that_never_ran_has_no_times_and_one_that_is_suspended_says_so():
    new = {**CRON_JOB, "status": {}}
    assert (runs(new, []).said, runs(new, []).began, runs(new, []).ended_well) == ("never", None, None)
    suspended = {**CRON_JOB, "spec": {**CRON_JOB["spec"], "suspend": True}}
    assert runs(suspended, [OLD]).said == "suspended, last complete"
