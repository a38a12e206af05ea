"""What other clusters, servers, drivers and settings libraries say than those the causes were first tried on.

`recorded/cases.yaml` is the table. The logs were written by the programs that their names tell, shortened to the frames
that matter; the words of clusters and of databases that do not run on one machine are those of their sources.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from nuages.rollout.causes import Evidence, explain, refusal
from nuages.rollout.diagnosis import conclude
from nuages.rollout.pods import Symptom, Trouble

from .recorded import Seen

CASES = yaml.load((Path(__file__).parent / "recorded" / "cases.yaml").read_text(), Loader=yaml.CSafeLoader)
IMAGE = "registry.example.com/acme/blog:2"


def evidence(case: dict[str, Any]) -> Evidence:
    """What a release would know of it."""
    kind = case.get("kind", "Deployment")
    workload = {"kind": kind, "metadata": {"name": "blog-web", "generation": 1}, "spec": {"replicas": 1}, "status": {}}
    events = tuple({"reason": reason, "message": said, "metadata": {}} for reason, said in case.get("events", ()))
    if kind != "Deployment":
        return Evidence(workload, events=events)
    container = {"name": "web", "image": IMAGE, "resources": {"limits": {"memory": "64Mi"}}}
    pod = {"kind": "Pod", "metadata": {"name": "blog-web-1"}, "spec": {"containers": [container]}}
    symptom = Symptom(case.get("symptom", "crash"))
    trouble = Trouble(symptom, "blog-web-1", pod, "web", case.get("message", ""), exit_code=case.get("exit", 1))
    return Evidence(workload, trouble, case.get("log", ""), events)


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_a_failure_is_told_by_its_cause_and_its_line(case):
    if "refused" in case:
        found = refusal(case["refused"])
        assert (found.id, found.cause) == tuple(case["cause"])
        return
    seen = evidence(case)
    cause, told = explain(seen), conclude(seen, Seen([seen.workload]))
    assert (cause.id, cause.cause) == tuple(case["cause"])
    assert case.get("hint", "") in cause.hint
    assert cause.hint or cause.id == "diag.D033", "a cause without a cure is half of one"
    assert len(told.lines) == case.get("lines", len(told.lines))
    if "line" in case:
        assert told.lines[: case["line"].count("|") + 1] == tuple(case["line"].split("|"))


def test_every_case_has_a_name_of_its_own():
    assert len({case["case"] for case in CASES}) == len(CASES)
