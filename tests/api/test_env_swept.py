"""What a clone leaves that is killed before its Job begins, against a real API server."""

from __future__ import annotations

from datetime import timedelta

import pytest
from test_release import blog

from nuages.release.environments import cloning

pytestmark = pytest.mark.api


async def test_a_job_that_nobody_is_about_to_begin_any_more_goes(cluster, namespace, tmp_path, monkeypatch):
    app = blog(namespace, tmp_path)
    labels = {
        "app.kubernetes.io/name": app.name,
        "app.kubernetes.io/instance": app.instance,
        "app.kubernetes.io/component": "clone",
    }
    pod = {"restartPolicy": "Never", "containers": [{"name": "a", "image": "registry.example.com/a"}]}
    for name, suspend in (("left", True), ("begun", False)):
        job = {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": name, "namespace": namespace, "labels": labels},
            "spec": {"suspend": suspend, "template": {"spec": pod}},
        }
        await cluster.create(job)
    await cloning.swept(app, cluster)
    assert await cluster.get("Job", namespace, "left")  # somebody may be at it
    monkeypatch.setattr(cloning, "ABANDONED", timedelta(seconds=-1))
    await cloning.swept(app, cluster)
    assert await cluster.get("Job", namespace, "begun")
    left = await cluster.get("Job", namespace, "left")
    assert left is None or "deletionTimestamp" in left["metadata"]
