"""django.tasks' database worker: what starts it, what it is told, and that its life is asked for."""

from __future__ import annotations

import pytest

from nuages.render.manifest import render

from .blog import SPEC, blog, release

pytestmark = pytest.mark.unit
TASKS = SPEC.replace("services: {", "workers: {rows: {tasks: {queues: [a, b]}, longestTask: 2m}}\nservices: {")


def test_it_is_started_by_the_runtime_with_its_queues_and_its_time() -> None:
    [deployment] = [item for item in render(blog(spec=TASKS), release()).workers if item["kind"] == "Deployment"]
    pod = deployment["spec"]["template"]["spec"]
    [container] = pod["containers"]
    told = {variable["name"]: variable.get("value") for variable in container["env"]}
    assert container["command"] == ["python", "-m", "nuages_runtime.dbtasks"]
    assert (told["NUAGES_TASKS_QUEUES"], told["NUAGES_GRACEFUL_TIMEOUT"]) == ("a,b", "120")
    assert "NUAGES_TASKS_BACKEND" not in told
    assert "nuages_runtime.alive" in container["livenessProbe"]["exec"]["command"]
    assert pod["terminationGracePeriodSeconds"] > 120
    assert "minReadySeconds" not in deployment["spec"], "its probe says that it started"
