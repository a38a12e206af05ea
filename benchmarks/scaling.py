"""An autoscaler with a real metric: a Celery worker that computes gets a second pod, and a release leaves it that.

A worker with `autoscale: {min: 1, max: 2, cpu: 50}` on a cluster with metrics-server; its tasks compute for a minute
and a half. Said is how long it takes until the second pod works, and how many there are after a release meanwhile.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.measure import say
from nuages.cli.console import console
from nuages.local.cluster import up

E2E = Path(__file__).parents[1] / "tests" / "e2e"
NAMESPACE = "bench-scaling"
WORKER = "site-worker-default"
COMPUTED = 90
"""Seconds that a task takes; there are as many as two pods do at once."""


def main(argv: Sequence[str]) -> None:
    """Measure and print; exit code 1 where there is no second pod in time, or it is taken back."""
    parser = argparse.ArgumentParser(prog="benchmarks scaling", description=__doc__)
    parser.add_argument("--cluster", default="nuages", help="the local cluster; brought up, and metrics-server added")
    parser.add_argument("--limit", type=float, default=300, help="seconds until the second pod is given up")
    options = parser.parse_args(argv)

    sys.path.append(str(E2E))
    from worker_project import site_in  # noqa: PLC0415 - the tests' modules know each other by their names alone

    info = up(options.cluster, addons=("metrics-server",), sink=console.sink)
    with tempfile.TemporaryDirectory() as folder:
        project = site_in(Path(folder) / "site", info, NAMESPACE)
        project.edit(**{"replicas: 2, longestTask: 20s": "autoscale: {min: 1, max: 2, cpu: 50}, longestTask: 20s"})
        kubectl = [*map(str, info.kubectl), "-n", NAMESPACE]
        try:
            project.nuages("secrets", "set", "GREETING", text="hello\n")
            project.nuages("deploy")
            (address,) = project.status()["addresses"]  # type: ignore[misc]
            measure(project.nuages, lambda: asked(kubectl), f"{address}/compute?seconds={COMPUTED}", options.limit)
        finally:
            subprocess.run([*kubectl, "delete", "namespace", NAMESPACE, "--wait=false"], check=False)


def measure(nuages: Callable[..., Any], look: Callable[[], tuple[int, int, str]], compute: str, limit: float) -> None:
    """From the first metric to the second pod; then a release."""
    began = time.monotonic()
    wait(lambda: look()[2], limit)
    say(f"first metric after {time.monotonic() - began:.0f} s: {look()[2]} of the request")
    began = time.monotonic()
    for _ in range(4):
        urllib.request.urlopen(compute, timeout=20).close()
    wait(lambda: look()[0] == 2, limit)
    wanted = time.monotonic() - began
    wait(lambda: look()[1] == 2, limit)
    say(f"two pods wanted after {wanted:.0f} s, ready after {time.monotonic() - began:.0f} s, at {look()[2]}")
    nuages("deploy", "--no-build")
    say(f"after a release: {look()[0]} wanted")
    if look()[0] != 2:
        sys.exit(1)


def asked(kubectl: Sequence[str]) -> tuple[int, int, str]:
    """How many pods are wanted and ready, and the processor's share as the autoscaler last saw it; "" for none yet."""
    found = json.loads(subprocess.run([*kubectl, "get", f"deployment/{WORKER}", f"hpa/{WORKER}", "--output=json"],
                                      capture_output=True, check=True).stdout)["items"]  # fmt: skip
    deployment, scaler = sorted(found, key=lambda item: item["kind"])
    shares = [
        one["containerResource"]["current"].get("averageUtilization")
        for one in scaler["status"].get("currentMetrics") or []
        if "containerResource" in one
    ]
    seen = f"{shares[0]} %" if shares and shares[0] is not None else ""
    return deployment["spec"]["replicas"], deployment["status"].get("readyReplicas", 0), seen


def wait(what: Callable[[], object], limit: float) -> None:
    """Ask once a second; the autoscaler itself looks every fifteen."""
    end = time.monotonic() + limit
    while not what():
        if time.monotonic() > end:
            sys.exit(f"not after {limit:.0f} s")
        time.sleep(1)
