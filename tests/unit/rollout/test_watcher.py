"""When a wait ends: as soon as waiting is in vain, and no sooner."""

from datetime import timedelta

import pytest

from nuages.rollout.pods import CONFIG_PATIENCE, PULL_PATIENCE, SCHEDULING_PATIENCE, Symptom, moment, troubles
from nuages.rollout.watcher import KINDS, UNMADE, Survey, survey, suspicious, together

from .recorded import LATER, Seen, failure, state


def ready_at(pod):
    """When the pod got its node."""
    return next(
        moment(one["lastTransitionTime"]) for one in pod["status"]["conditions"] if one["type"] == "PodScheduled"
    )


def judged(name, after=None):
    """The survey of a recorded failure, so long after its pod was scheduled."""
    evidence, view = failure(name)
    live = evidence.workload
    live["status"]["conditions"] = []  # the deadline of the recording was short; what counts here are the pods
    now = LATER if after is None else ready_at(evidence.trouble.pod) + after
    return survey([live], view, now)


def test_a_pod_that_crashed_twice_fails_its_deployment_at_once():
    [(item, reason)] = judged("crash", after=timedelta(seconds=3)).failed
    assert item["metadata"]["name"] == "crash"
    assert reason.endswith("crashed twice (exit 1)")


def test_a_first_crash_is_tolerated():
    evidence, view = failure("crash")
    status = evidence.trouble.pod["status"]["containerStatuses"][0]
    status |= {"restartCount": 0, "state": status["lastState"] or status["state"]}
    evidence.workload["status"]["conditions"] = []
    assert survey([evidence.workload], view, LATER).waiting


def test_a_crash_in_the_current_template_fails_beside_old_pods_that_serve():
    live, view = state("deployment-09-crashing-beside-the-old-1-of-2-updated")
    assert survey([live], view, LATER).failed


def test_a_crash_of_an_old_pod_is_not_this_releases():
    live, view = state("deployment-09-crashing-beside-the-old-1-of-2-updated")
    live["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = "99"
    assert survey([live], view, LATER).waiting


@pytest.mark.parametrize(
    ("name", "patience"),
    [("image-missing", PULL_PATIENCE), ("no-secret", CONFIG_PATIENCE), ("no-cpu", SCHEDULING_PATIENCE)],
)
def test_what_may_pass_is_given_time_and_then_fails(name, patience):
    assert judged(name, after=patience - timedelta(seconds=1)).waiting
    assert judged(name, after=patience).failed


@pytest.mark.parametrize("name", ["image-never", "image-name"])
def test_what_cannot_pass_fails_at_once(name):
    assert judged(name, after=timedelta(0)).failed


def test_a_kubelet_that_has_not_heard_of_a_secret_yet_ends_no_wait():
    evidence, view = failure("no-secret")
    evidence.workload["status"]["conditions"] = []
    waiting = evidence.trouble.pod["status"]["containerStatuses"][0]["state"]["waiting"]
    assert survey([evidence.workload], view, LATER).failed
    waiting["message"] = "failed to sync secret cache: timed out waiting for the condition"
    assert survey([evidence.workload], view, LATER).waiting


@pytest.mark.parametrize("name", ["readiness-400", "readiness-refused", "no-mount"])
def test_a_pod_that_is_only_not_ready_is_waited_for_until_the_deadline(name):
    assert judged(name).waiting


@pytest.mark.parametrize("name", ["evicted", "node-not-ready"])
def test_what_a_node_does_to_a_pod_ends_no_wait(name):
    assert judged(name).waiting


def test_a_job_without_pods_is_suspicious_after_a_moment():
    live, _ = state("job-01-job-starting")
    made = moment(live["metadata"]["creationTimestamp"])
    assert not suspicious(live, Seen([live]), made + UNMADE)
    assert suspicious(live, Seen([live]), made + UNMADE + timedelta(seconds=1))
    live["spec"]["suspend"] = True
    assert not suspicious(live, Seen([live]), LATER)


def test_a_jobs_crash_is_left_to_the_jobs_own_count():
    evidence, view = failure("job-failed")
    evidence.workload["status"]["conditions"] = []
    assert evidence.trouble.symptom is Symptom.CRASH
    assert survey([evidence.workload], view, LATER).waiting


@pytest.mark.parametrize(
    ("notes", "said"),
    [
        (["1 ready", "1 ready"], "2 ready"),
        (["3 available", "", "1 ready", "complete", "complete"], "3 available, 1 ready, complete"),
        ([], ""),
    ],
)
def test_pods_of_one_state_are_counted_together(notes, said):
    assert together(notes) == said


def test_a_pod_that_is_being_deleted_is_in_no_trouble():
    evidence, _ = failure("crash")
    pod = evidence.trouble.pod
    pod["metadata"]["deletionTimestamp"] = "2026-11-21T13:00:00Z"
    assert troubles(pod) == []


def test_what_is_applied_but_not_seen_yet_is_waited_for():
    live, _ = state("deployment-03-first-2-available")
    assert survey([live], Seen([]), LATER) == Survey([], [(live, "not there yet")], [])


def test_kinds_without_a_tracker_are_done_and_need_no_mirror():
    assert "ConfigMap" not in KINDS
    assert survey([{"kind": "ConfigMap", "metadata": {"name": "blog-env"}}], Seen([]), LATER).done


def test_the_note_of_a_survey_says_each_thing_once():
    live, view = state("deployment-03-first-2-available")
    assert survey([live], view, LATER).note == "2 available"
    assert survey([live, live], view, LATER).note == "4 available"
