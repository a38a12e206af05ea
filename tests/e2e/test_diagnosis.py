"""Workloads that cannot start on a real node: how soon that is known, and whether the cause is the true one."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import NamedTuple

import pytest

from nuages.app.objects import Object
from nuages.image import base
from nuages.kube.client import Cluster
from nuages.kube.watch import Mirror
from nuages.local.cluster import load
from nuages.rollout.diagnosis import Diagnosis, diagnose
from nuages.rollout.watcher import KINDS, survey

pytestmark = pytest.mark.e2e
NAMESPACE = "test-diagnosis"
LABELS = {"app.kubernetes.io/instance": "diagnosis"}
PYTHON = "docker.io/library/python:3.13-slim"
LONGEST = 90  # seconds for all of them together; the dearest waits for a deadline of 20

SETTINGS = "import os\n\nSENTRY_DSN = os.environ['SENTRY_DSN']\n"
SERVER = """
from http.server import BaseHTTPRequestHandler, HTTPServer

class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response({status})
        self.end_headers()

print("start-up waits for migrations: posts.0002_slug", flush=True)
HTTPServer(("", 8000), Answer).serve_forever()
"""


def python(program: str) -> dict[str, object]:
    return {"command": ["python", "-c", program]}


def probe(port: int = 8000) -> dict[str, object]:
    return {"httpGet": {"path": "/-/startup", "port": port}, "periodSeconds": 1, "failureThreshold": 4}


def pod(name: str, volumes: list[Object] | None = None, **container: object) -> Object:
    one = {
        "name": "web",
        "image": PYTHON,
        "resources": {"requests": {"cpu": "5m", "memory": "16Mi"}, "limits": {"memory": "64Mi"}},
        **container,
    }
    spec = {"containers": [one], "volumes": volumes or [], "terminationGracePeriodSeconds": 0}
    return {"metadata": {"labels": {**LABELS, "app": name}}, "spec": spec}


def deployment(name: str, **parts: object) -> Object:
    """One pod with a probe, as all of ours: one that crashes without a probe is available for a moment."""
    probes = {} if parts.keys() & {"startupProbe", "readinessProbe"} else {"readinessProbe": probe()}
    template = pod(name, **probes, **parts)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": LABELS},
        "spec": {
            "progressDeadlineSeconds": 20,
            "selector": {"matchLabels": {"app": name}},
            "strategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
            "template": template,
        },
    }


def job(name: str, program: str) -> Object:
    template = pod(name, **python(program))
    template["spec"]["restartPolicy"] = "Never"
    metadata = {"name": name, "namespace": NAMESPACE, "labels": LABELS}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata,
        "spec": {"backoffLimit": 0, "template": template},
    }


PROJECT = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "project", "namespace": NAMESPACE}}
MOUNTED = {
    "volumes": [{"name": "project", "configMap": {"name": "project"}}],
    "volumeMounts": [{"name": "project", "mountPath": "/app/blog"}],
    "workingDir": "/app",
}
SECRET = {"name": "SECRET_KEY", "valueFrom": {"secretKeyRef": {"name": "blog-secrets", "key": "SECRET_KEY"}}}


class Case(NamedTuple):
    """A workload, the diagnosis it must get, the lines shown of it, and within how many seconds of its start."""

    workload: Object
    id: str
    lines: tuple[str, ...]
    seconds: float


CASES = {
    "crash": Case(
        deployment("crash", command=["python", "-m", "blog.settings"], **MOUNTED),
        "diag.D020",
        ("KeyError: 'SENTRY_DSN'", "blog/settings.py:3"),
        25,
    ),
    "memory": Case(deployment("memory", **python("bytearray(200_000_000)")), "diag.D030", (), 25),
    "command": Case(deployment("command", command=["gunicornn"]), "diag.D031", ("...",), 25),
    "secret": Case(
        deployment("secret", env=[SECRET], **python("")), "diag.D010", ('secret "blog-secrets" not found',), 25
    ),
    "never": Case(
        deployment("never", image="registry.example.com/acme/nope:1", imagePullPolicy="Never"),
        "diag.D005",
        ("ErrImageNeverPull: ...",),
        25,
    ),
    "pull": Case(deployment("pull", image="registry.example.com/acme/nope:1"), "diag.D004", ("...",), 45),
    "migrations": Case(
        deployment("migrations", startupProbe=probe(), **python(SERVER.format(status=503))),
        "diag.D040",
        ("start-up waits for migrations: posts.0002_slug",),
        60,
    ),
    "port": Case(
        deployment("port", readinessProbe=probe(8001), **python("import time; time.sleep(999)")),
        "diag.D041",
        ("...",),
        60,
    ),
    "job": Case(
        job("job", "raise ValueError('no slug for post 7')"), "diag.D024", ("ValueError: no slug for post 7",), 25
    ),
}


class Found(NamedTuple):
    """What was found out, and how many seconds after the workloads were applied."""

    diagnosis: Diagnosis | None
    seconds: float


async def _failures(kubeconfig) -> dict[str, Found]:
    """Start all of them at once, and diagnose each as soon as the survey gives it up."""
    found: dict[str, Found] = {}
    async with Cluster.connect(kubeconfig) as cluster:
        await cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        await cluster.apply({**PROJECT, "data": {"settings.py": SETTINGS}})
        async with Mirror(cluster, NAMESPACE, KINDS, LABELS) as mirror:
            begun = time.monotonic()
            for case in CASES.values():
                mirror.saw(await cluster.apply(case.workload))
            while len(found) < len(CASES) and time.monotonic() - begun < LONGEST:
                seen = mirror.version
                left = [case.workload for name, case in CASES.items() if name not in found]
                for item, _ in survey(left, mirror, datetime.now(UTC)).failed:
                    name = item["metadata"]["name"]
                    found[name] = Found(await diagnose(cluster, mirror, item), time.monotonic() - begun)
                    await cluster.delete(item["kind"], NAMESPACE, name)
                await mirror.changed(1, since=seen)
        await cluster.delete("Namespace", None, NAMESPACE)
    return found


@pytest.fixture(scope="module")
def failures(cluster):
    """Every case's diagnosis."""
    load(cluster.name, [base.archive(PYTHON)])
    return asyncio.run(_failures(cluster.kubeconfig))


@pytest.mark.parametrize("name", CASES)
def test_what_cannot_start_is_told_with_its_true_cause(failures, name):
    assert name in failures, f"{name} was not given up within {LONGEST} s"
    case, diagnosis = CASES[name], failures[name].diagnosis
    assert diagnosis.id == case.id, diagnosis
    assert name in diagnosis.pod
    assert len(diagnosis.lines) == len(case.lines)
    for line, expected in zip(diagnosis.lines, case.lines, strict=True):
        assert line.startswith(expected.removesuffix("...")), line


@pytest.mark.parametrize("name", CASES)
def test_it_is_told_long_before_a_time_out_of_ten_minutes(failures, name):
    assert failures[name].seconds < CASES[name].seconds
