"""Looking: `nuages status` beside `kubectl get pods`, `nuages logs` beside `kubectl logs` of a pod that prints a lot.

The blog is live in a namespace of its own. `status` reads ten lists, `get pods` one; both are asked in turns, each as
its users start it, and the CPU time that they take stands below, since a busy machine shifts it less. Then a pod prints
10,000 numbered lines a second for ten seconds: followed, each line must come once, and soon; afterwards all of them are
read at once.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.blog import DEPLOYMENT, Blog, live
from benchmarks.measure import NUAGES, Samples, ratio, rounds, say, seconds, table

NAMESPACE = "bench-looking"
POD = "blog-web-main-noise"
RATE, SECONDS = 10_000, 10
BATCH = RATE // 20
# Numbered lines with the time at which they were printed, in twenty batches a second.
NOISE = f"""
import sys, time
begun, number = time.time(), 0
while number < {RATE * SECONDS}:
    for number in range(number + 1, number + {BATCH} + 1):
        sys.stdout.write(f"{{number}} {{time.time():.3f}} a line of a busy site\\n")
    sys.stdout.flush()
    time.sleep(max(begun + number / {RATE} - time.time(), 0))
print("the end", flush=True)
time.sleep(600)
"""


class Followed(NamedTuple):
    """How following went."""

    lost: int
    twice: int
    late: float
    """The longest that a line was on its way, in seconds."""


def main(argv: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks looking", description=__doc__)
    parser.add_argument("--cluster", default="nuages", help="the local cluster; brought up where it does not run")
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args(argv)

    with tempfile.TemporaryDirectory() as work, live(Path(work), options.cluster, NAMESPACE) as (blog,):
        status(blog, options.rounds)
        for name, command in (("kubectl logs -f", kubectl_logs(blog, "-f")), ("nuages logs -F", nuages_logs("-F"))):
            found = followed(blog, command)
            print(
                f"{name}: {RATE * SECONDS:,} lines at {RATE:,}/s, {found.lost} lost, {found.twice} twice, "
                f"the latest {found.late:.1f} s after it was printed"
            )
        past(blog, max(options.rounds // 4, 1))


def status(blog: Blog, count: int) -> None:
    """One screen, beside the least that shows pods."""
    commands = {"nuages status": (NUAGES, "status"), "kubectl get pods": (*blog.kubectl, "get", "pods")}
    wall: Samples = {name: [] for name in commands}
    cpu: Samples = {f"{name}, CPU": [] for name in commands}
    for command in commands.values():
        seconds(*command, env=blog.env, cwd=blog.folder)  # once unmeasured: both keep what they learn in a cache
    for _, name in rounds(count, list(commands)):
        before = _used()
        wall[name].append(seconds(*commands[name], env=blog.env, cwd=blog.folder))
        cpu[f"{name}, CPU"].append(_used() - before)
    table(wall | cpu, "ms")
    ratio(wall, "nuages status", "kubectl get pods", "at most 1.50")
    ratio(cpu, "nuages status, CPU", "kubectl get pods, CPU", "at most 1.50")


def _used() -> float:
    """Seconds of CPU that ended programs took."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def kubectl_logs(blog: Blog, *options: str) -> list[str]:
    """All of the pod's log by kubectl."""
    return [*map(str, blog.kubectl), "logs", POD, *options]


def nuages_logs(*options: str) -> list[str]:
    """All of the pod's log by nuages."""
    return [str(NUAGES), "logs", POD, "--raw", "--tail", "all", *options]


def followed(blog: Blog, command: list[str]) -> Followed:
    """Begin a pod that prints, follow it to its end, and count."""
    noise(blog)
    told: Counter[str] = Counter()
    late = 0.0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=blog.env, cwd=blog.folder) as following:
        assert following.stdout is not None
        for line in following.stdout:
            number, _, rest = line.partition(" ")
            if rest == "end\n":
                break
            told[number] += 1
            late = max(late, time.time() - float(rest.partition(" ")[0]))
        following.terminate()
    return Followed(RATE * SECONDS - len(told), sum(times > 1 for times in told.values()), late)


def noise(blog: Blog) -> None:
    """A pod of the blog that prints, and waits a moment before for its reader."""
    blog.ask("delete", "pod", POD, "--ignore-not-found", "--wait")
    deployment = json.loads(blog.ask("get", DEPLOYMENT, "--output=json"))
    template = deployment["spec"]["template"]
    web = template["spec"]["containers"][0]
    container = {key: web[key] for key in ("name", "image", "imagePullPolicy", "securityContext", "resources")}
    labels = {key: value for key, value in template["metadata"]["labels"].items() if key != "nuages.dev/key"}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": POD, "labels": labels | {"nuages.dev/key": "noise"}},
        "spec": {
            "containers": [container | {"command": ["python", "-c", f"import time; time.sleep(5)\n{NOISE}"]}],
            "securityContext": template["spec"]["securityContext"],
            "terminationGracePeriodSeconds": 0,
        },
    }
    subprocess.run([*blog.kubectl, "apply", "-f", "-"], input=json.dumps(pod), text=True, check=True)
    blog.ask("wait", "--for=condition=Ready", f"pod/{POD}", "--timeout=60s")


def past(blog: Blog, count: int) -> None:
    """Read at once what was printed."""
    commands: dict[str, Callable[[], list[str]]] = {
        "nuages logs": nuages_logs,
        "kubectl logs": lambda: kubectl_logs(blog),
    }
    samples: Samples = {name: [] for name in commands}
    for _, name in rounds(count, list(commands)):
        samples[name].append(seconds(*commands[name](), env=blog.env, cwd=blog.folder))
    say(f"{RATE * SECONDS:,} lines read at once:")
    table(samples)
    ratio(samples, "nuages logs", "kubectl logs", "at most 1.50")
