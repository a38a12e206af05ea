"""A change of one line of Python: from `nuages deploy` to a Ready pod, beside the least that is possible.

The floor is `kubectl set image` with an image that the node has already: what Kubernetes takes to bring a pod of it up.
The project's own boot is measured apart, in a running pod: from the start of its server to its first answer. Each has a
copy of the blog in a namespace of its own; every round is a change, and ends when the first new pod is Ready.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from benchmarks.blog import DEPLOYMENT, Blog, live
from benchmarks.measure import NUAGES, ratio, rounds, say, table

CHANGE, WHOLE, FLOOR = "one-line change -> Ready", "one-line change -> command ends", "kubectl set image -> Ready"
BOOT = "the project's own boot"
WEB = "app.kubernetes.io/component=web"
SHOWN = '{.metadata.name} {.spec.containers[0].image} {.status.conditions[?(@.type=="Ready")].status}{"\\n"}'
# In a pod of the release, beside its server: another one on a port of its own, until it answers.
BOOTS = """
import os, subprocess, sys, time, urllib.request
env = {**os.environ, "NUAGES_PORT": "8123"}
env.pop("NUAGES_METRICS_PORT", None)
began = time.perf_counter()
server = subprocess.Popen([sys.executable, "-m", "nuages_runtime.serve"], env=env,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
while time.perf_counter() - began < 60:
    try:
        urllib.request.urlopen("http://127.0.0.1:8123/-/startup", timeout=5)
        break
    except OSError:
        time.sleep(0.01)
print(time.perf_counter() - began)
server.terminate()
server.wait()
"""


def main(argv: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks change", description=__doc__)
    parser.add_argument("--cluster", default="nuages", help="the local cluster; brought up where it does not run")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(argv)

    samples: dict[str, list[float]] = {CHANGE: [], FLOOR: [], WHOLE: [], BOOT: []}
    with (
        tempfile.TemporaryDirectory() as work,
        live(Path(work), options.cluster, "bench-change", "bench-floor") as (changed, floor),
    ):
        images = [image_of(changed)]
        edit(changed, 0)
        changed.deploy()
        changed.settle()
        images.append(image_of(changed))
        for number, competitor in rounds(options.rounds, (CHANGE, FLOOR)):
            if competitor is CHANGE:
                edit(changed, number)
                ready, whole = until_ready(changed, [NUAGES, "deploy"])
                samples[CHANGE].append(ready)
                samples[WHOLE].append(whole)
                changed.settle()
                samples[BOOT].append(boot(changed))
            else:
                wanted = next(image for image in images if image != image_of(floor))
                ready, _ = until_ready(floor, [*floor.kubectl, "set", "image", DEPLOYMENT, f"web={wanted}"])
                samples[FLOOR].append(ready)
                floor.settle()
            say(f"round {number} of {options.rounds}: {competitor} {ready:.1f} s")
    table(samples)
    ratio(samples, CHANGE, FLOOR, "none")
    beyond = median(samples[CHANGE]) - median(samples[BOOT])
    above = median(samples[CHANGE]) - median(samples[FLOOR])
    print(f"beyond the project's own boot: {beyond:.1f} s (goal at most 3.0); above the floor: {above:.1f} s")


def edit(blog: Blog, number: int) -> None:
    """Add one line of Python."""
    views = blog.folder / "posts" / "views.py"
    views.write_text(f"{views.read_text()}CHANGE = {number}\n")


def image_of(blog: Blog) -> str:
    """The image that the Deployment names now."""
    return blog.ask("get", DEPLOYMENT, "--output=jsonpath={.spec.template.spec.containers[0].image}")


def boot(blog: Blog) -> float:
    """Seconds from the start of the project's server to its first answer, in a pod that is up."""
    return float(blog.ask("exec", DEPLOYMENT, "--container=web", "--", "python", "-c", BOOTS))


def until_ready(blog: Blog, argv: Sequence[str | Path]) -> tuple[float, float]:
    """Run a command; seconds until the first pod of another image is Ready, and until the command has ended."""
    before = image_of(blog)
    watch = subprocess.Popen(
        [*blog.kubectl, "get", "pods", f"--selector={WEB}", "--watch", f"--output=jsonpath={SHOWN}"],
        stdout=subprocess.PIPE,
        text=True,
    )
    first = threading.Event()
    seen: list[float] = []
    threading.Thread(target=_watched, args=(watch, before, first, seen.append), daemon=True).start()
    began = time.perf_counter()
    subprocess.run(argv, cwd=blog.folder, env=blog.env, check=True, capture_output=True)
    ended = time.perf_counter()
    first.wait(180)
    watch.terminate()
    watch.wait()
    return seen[0] - began, ended - began


def _watched(watch: subprocess.Popen[str], before: str, first: threading.Event, seen: Callable[[float], None]) -> None:
    for line in watch.stdout or ():
        _, image, ready = (*line.split(), "", "")[:3]
        if image and image != before and ready == "True":
            seen(time.perf_counter())
            first.set()
            return
