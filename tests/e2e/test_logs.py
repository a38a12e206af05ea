"""`nuages logs`: of pods that print a lot, crash and come anew, no line is lost and none is told twice."""

from __future__ import annotations

import json
import signal
from collections import Counter

import pytest
from project import Project
from waiting import wait_for

from nuages.image import base
from nuages.local.cluster import load

pytestmark = pytest.mark.e2e

IMAGE = "docker.io/library/python:3.13-slim"
SPEC = """
apiVersion: nuages/v1
name: noise
image: registry.example.com/acme/noise
environments:
  local: {namespace: NAMESPACE, cluster: CONTEXT}
"""
LINES = 8_000
# Numbered lines as quickly as it can, and an end by an error the first time: the kubelet starts it again.
NOISY = f"""
import json, pathlib, sys, time
before = pathlib.Path("/kept/ran")
run = 2 if before.exists() else 1
before.touch()
for number in range({LINES}):
    line = f"{{run}}/{{number}}"
    print(json.dumps({{"level": "INFO", "message": line, "request_id": f"r{{number}}"}}) if number % 2 else line)
    if number % 1000 == 0:
        sys.stdout.flush()
        time.sleep(0.02)
sys.stdout.flush()
if run == 1:
    sys.exit(7)
print("the end", flush=True)
time.sleep(600)
"""
QUIET = "import time; print('listening', flush=True); time.sleep(600)"


def pod(name: str, code: str) -> str:
    container = {
        "name": "web",
        "image": IMAGE,
        "imagePullPolicy": "Never",
        "command": ["python3", "-c", code],
        "env": [{"name": "NUAGES_RELEASE", "value": "3"}],
        "volumeMounts": [{"name": "kept", "mountPath": "/kept"}],
    }
    labels = {
        "app.kubernetes.io/name": "noise",
        "app.kubernetes.io/instance": "noise-local",
        "app.kubernetes.io/component": "web",
        "nuages.dev/key": "main",
    }
    spec = {
        "terminationGracePeriodSeconds": 1,
        "containers": [container],
        "volumes": [{"name": "kept", "emptyDir": {}}],
    }
    return json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}, "spec": spec})


@pytest.fixture
def noise(cluster, namespace, tmp_path):
    """An app of which nothing runs yet."""
    load(cluster.name, [base.archive("python:3.13-slim")])
    (tmp_path / "nuages.yaml").write_text(SPEC.replace("NAMESPACE", namespace).replace("CONTEXT", cluster.context))
    return Project(tmp_path, cluster.kubeconfig)


def test_every_line_is_told_once_through_a_crash(noise, kubectl, namespace, tmp_path):
    out, pods = tmp_path / "out", ("noise-web-main-one", "noise-web-main-two")
    with out.open("w") as file:
        following = noise.start("logs", "--follow", "--tail", "all", "--json", stdout=file)
        kubectl("-n", namespace, "apply", "-f", "-", text=pod("noise-web-main-zero", QUIET))
        wait_for(lambda: "listening" in out.read_text())
        for name in pods:
            kubectl("-n", namespace, "apply", "-f", "-", text=pod(name, NOISY))
        wait_for(lambda: out.read_text().count('"the end"') == 2)
        following.send_signal(signal.SIGINT)
        following.communicate(timeout=300)
        assert following.returncode == 0
    entries = [json.loads(line) for line in out.read_text().splitlines()]
    told = Counter((entry["pod"], entry.get("fields", {}).get("message") or entry["text"]) for entry in entries)
    wanted = {(name, f"{run}/{number}") for name in pods for run in (1, 2) for number in range(LINES)}
    assert not wanted - told.keys()
    assert not [line for line, times in told.items() if times > 1]
    for name in pods:
        own = [entry["time"] for entry in entries if entry["pod"] == name]
        assert own == sorted(own)

    # What was printed can be asked for in parts.
    assert noise.nuages("logs", "main", "--request", "r17", "--tail", "all", "--raw").stdout.count("2/17") == 2
    assert len(noise.nuages("logs", "--previous", "--tail", "5").stdout.splitlines()) == 5
    assert "1/7999" in noise.nuages("logs", "--previous", "--tail", "5").stdout
    assert noise.nuages("logs", "--grep", "^the end$", "--since", "1h").stdout.count("the end") == 2
    assert "there are pods of web-main" in noise.nuages("logs", "--release", "4", code=2).stderr
    assert "did you mean web?" in noise.nuages("logs", "wbe", code=2).stderr
