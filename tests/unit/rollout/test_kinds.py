"""Every kind's verdict on objects as a real cluster showed them."""

import pytest

from nuages.rollout.kinds import TRACKERS, Done, Failed, Waiting, tracker

from .recorded import FOLDER, state

VERDICTS = {
    "deployment-01-first-0-of-2-available": Waiting("0 of 2 available"),
    "deployment-02-first-1-of-2-available": Waiting("1 of 2 available"),
    "deployment-03-first-2-available": Done("2 available"),
    "deployment-04-rolling-not-seen-by-its-controller-yet": Waiting("not seen by its controller yet"),
    "deployment-05-rolling-0-of-2-updated": Waiting("0 of 2 updated"),
    "deployment-06-rolling-1-of-2-updated": Waiting("1 of 2 updated"),
    "deployment-07-rolling-1-old-to-end": Waiting("1 old to end"),
    "deployment-08-rolling-2-available": Done("2 available"),
    "deployment-09-crashing-beside-the-old-1-of-2-updated": Waiting("1 of 2 updated"),
    "job-01-job-starting": Waiting("starting"),
    "job-02-job-running": Waiting("running"),
    "job-03-job-complete": Done("complete"),
    "persistentvolumeclaim-01-unused-bound-with-its-first-pod": Done("bound with its first pod"),
    "persistentvolumeclaim-02-used-not-bound-yet": Waiting("not bound yet"),
    "persistentvolumeclaim-03-used-bound-1mi": Done("bound, 1Mi"),
    "pod-01-pod-pending": Waiting("pending"),
    "pod-02-pod-ready": Done("ready"),
    "pod-03-ended-badly": Failed("it ended with an error"),
    "service-01-service-no-address-from-the-load-balancer-yet": Waiting("no address from the load balancer yet"),
    "service-02-service-10-213-0-216": Done("10.213.0.216"),
    "statefulset-01-first-not-seen-by-its-controller-yet": Waiting("not seen by its controller yet"),
    "statefulset-02-first-0-of-2-ready": Waiting("0 of 2 ready"),
    "statefulset-03-first-1-of-2-ready": Waiting("1 of 2 ready"),
    "statefulset-04-first-2-ready": Done("2 ready"),
    "statefulset-05-rolling-not-seen-by-its-controller-yet": Waiting("not seen by its controller yet"),
    "statefulset-06-rolling-0-of-2-updated": Waiting("0 of 2 updated"),
    "statefulset-07-rolling-1-of-2-ready": Waiting("1 of 2 ready"),
    "statefulset-08-rolling-1-of-2-updated": Waiting("1 of 2 updated"),
    "statefulset-09-rolling-2-ready": Done("2 ready"),
}


@pytest.mark.parametrize("name", VERDICTS)
def test_a_state_of_a_real_cluster_is_judged_as_kubectl_does(name):
    live, view = state(name)
    assert tracker(live["kind"]).verdict(live, view) == VERDICTS[name]


def test_every_recorded_state_has_its_verdict_and_every_tracker_a_state():
    recorded = {file.stem for file in (FOLDER / "states").iterdir()}
    assert recorded == set(VERDICTS)
    assert {state(name)[0]["kind"] for name in recorded} == set(TRACKERS)


def test_a_deployment_past_its_deadline_has_failed():
    live, view = state("deployment-06-rolling-1-of-2-updated")
    live["status"]["conditions"] = [
        {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "..."}
    ]
    assert tracker("Deployment").verdict(live, view) == Failed("no progress for 60 s")


def test_a_deployment_whose_pods_no_rule_lets_in_has_failed():
    live, view = state("deployment-05-rolling-0-of-2-updated")
    message = 'pods "web-1" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false'
    live["status"]["conditions"] = [
        {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message}
    ]
    assert isinstance(tracker("Deployment").verdict(live, view), Failed)


def test_a_deployment_that_is_paused_says_so():
    live, view = state("deployment-05-rolling-0-of-2-updated")
    live["spec"]["paused"] = True
    assert tracker("Deployment").verdict(live, view) == Waiting("paused by hand")


@pytest.mark.parametrize("condition", ["Failed", "FailureTarget"])
def test_a_job_has_failed_as_soon_as_its_end_is_decided(condition):
    live, view = state("job-02-job-running")
    live["status"]["conditions"] = [
        {"type": condition, "status": "True", "reason": "BackoffLimitExceeded", "message": "..."}
    ]
    assert tracker("Job").verdict(live, view) == Failed("failed")


def test_a_stateful_set_that_is_updated_by_deletion_only_has_to_be_ready():
    live, view = state("statefulset-06-rolling-0-of-2-updated")
    live["spec"]["updateStrategy"] = {"type": "OnDelete"}
    assert tracker("StatefulSet").verdict(live, view) == Done("2 ready")


def test_only_pods_of_the_current_template_speak_for_a_deployment():
    live, view = state("deployment-09-crashing-beside-the-old-1-of-2-updated")
    current = {pod["metadata"]["name"] for pod in tracker("Deployment").pods(live, view)}
    assert len(view.items("Pod")) > len(current) == 1


@pytest.mark.parametrize(
    "name",
    [
        "deployment-04-rolling-not-seen-by-its-controller-yet",
        "statefulset-05-rolling-not-seen-by-its-controller-yet",
    ],
)
def test_no_pod_speaks_for_a_template_that_no_controller_has_seen(name):
    live, view = state(name)
    assert view.items("Pod")
    assert tracker(live["kind"]).pods(live, view) == []


def test_other_kinds_are_done_when_they_are_there():
    config_map = {"kind": "ConfigMap", "metadata": {"name": "blog-env"}}
    assert tracker("ConfigMap").verdict(config_map, state("job-01-job-starting")[1]) == Done()
