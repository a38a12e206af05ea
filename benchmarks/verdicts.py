"""How soon it is said that a release has succeeded, beside `kubectl rollout status` and `helm upgrade --wait`; and that
it has failed, and why.

Each has a copy of the blog in a namespace of its own, as in `deploy`. Beside the tool a watch of its own notes when the
cluster knows: the Deployment is complete (the rule of `kubectl rollout status`), or a container of the new pods has
ended twice. Counted is the time from then to the line that says it. What fails is a COLOR that the project refuses.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.blog import COLOURS, DEPLOYMENT, Blog, live
from benchmarks.deploy import objects, write_chart
from benchmarks.measure import NUAGES, rounds, say, table
from nuages.app.objects import Object
from nuages.cli.console import console
from nuages.kube.client import Cluster
from nuages.kube.watch import Mirror
from nuages.local import toolchain
from nuages.render.text import yaml_of
from nuages.rollout.kinds import Done, tracker

BROKEN = "purple"
LIMIT = 40
"""Seconds that kubectl and helm are given to notice a failure; by default they take five minutes and more."""

NUAGES_WEB, NUAGES_LIVE = "nuages deploy: its phase is over", "nuages deploy: the release is live"
KUBECTL, HELM = "kubectl rollout status", "helm upgrade --wait"


class Said(NamedTuple):
    """A tool's run: its lines with the time at which each was read, and when and how it ended."""

    lines: list[tuple[float, str]]
    ended: float
    code: int

    def when(self, *words: str) -> float:
        """When the first line with these words came; when it ended, where none did."""
        return next((at for at, line in self.lines if all(word in line for word in words)), self.ended)


class Known:
    """When the cluster knew: each None until then."""

    complete: float | None = None
    crashed: float | None = None


class Competitor(NamedTuple):
    """`start` answers the command that brings the blog to a colour, or that waits for what was begun before it."""

    name: str
    blog: Blog
    start: Callable[[str], list[str]]


def main(argv: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks verdicts", description=__doc__)
    parser.add_argument("--cluster", default="nuages", help="the local cluster; brought up where it does not run")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(argv)

    names = ("verdicts-nuages", "verdicts-kubectl", "verdicts-helm")
    with tempfile.TemporaryDirectory() as work, live(Path(work), options.cluster, *names) as blogs:
        competitors = [nuages(blogs[0]), kubectl(blogs[1]), helm(blogs[2])]
        good: dict[str, list[float]] = {NUAGES_WEB: [], NUAGES_LIVE: [], KUBECTL: [], HELM: []}
        bad: dict[str, list[float]] = {"nuages deploy": []}
        for number, one in rounds(options.rounds, competitors):
            gaps = success(one)
            for name, gap in gaps.items():
                good[name].append(gap)
            told = ", ".join(f"{name} {gap * 1000:.0f} ms" for name, gap in gaps.items())
            say(f"round {number} of {options.rounds}: {told}")
            if one.name == "nuages":
                gap, line = failure(one)
                bad["nuages deploy"].append(gap)
                say(f"  its failure after {gap * 1000:.0f} ms: {line}")
                success(one)
        others = [(one.name, *failure(one)) for one in competitors[1:]]
    print("success, from the last pod available to its being said (goal 100 ms)")
    table(good, "ms")
    print("failure with its cause, from the second crash to its being said (goal 2 s)")
    table(bad, "ms")
    for name, gap, line in others:
        print(f"{name} (time-out {LIMIT} s): {gap:.1f} s, and what it says is: {line}")


def success(one: Competitor) -> dict[str, float]:
    """Change the colour; how long after the Deployment was complete each line came."""
    colour = one.blog.other_colour()
    with watched(one.blog) as known:
        said = run(one.start(colour), one.blog)
        one.blog.colour = colour
        assert said.code == 0, said.lines
        assert known.complete, "the watch saw no end of the rollout"
    one.blog.settle()
    if one.name == "nuages":
        whens = {NUAGES_WEB: said.when("✓", "web"), NUAGES_LIVE: said.when("✓", "live")}
    else:
        whens = {one.name: said.when("successfully rolled out")}
    return {name: max(when - known.complete, 0) for name, when in whens.items()}


def failure(one: Competitor) -> tuple[float, str]:
    """Change the colour to one that is refused; how long after the second crash that was said, and the line."""
    colour = one.blog.colour
    with watched(one.blog) as known:
        said = run(one.start(BROKEN), one.blog)
        one.blog.colour = colour
        assert said.code != 0, said.lines
        assert known.crashed, "the watch saw no crash"
    at, line = next(
        ((at, line) for at, line in said.lines if "diag.D" in line),
        (said.ended, said.lines[-1][1] if said.lines else ""),
    )
    return at - known.crashed, line.strip()


def nuages(blog: Blog) -> Competitor:
    """Edit the spec; deploy."""

    def start(colour: str) -> list[str]:
        blog.paint(colour)
        return [str(NUAGES), "deploy", "--no-build"]

    return Competitor("nuages", blog, start)


def kubectl(blog: Blog) -> Competitor:
    """Apply before the clock runs; the command that waits is what is measured."""
    files = {colour: blog.folder.with_name(f"{blog.namespace}-{colour}.yaml") for colour in (*COLOURS, BROKEN)}
    for colour, file in files.items():
        file.write_text(yaml_of(objects(blog, colour)))

    def start(colour: str) -> list[str]:
        blog.ask("apply", "--server-side", "--force-conflicts", f"--filename={files[colour]}")
        return [*map(str, blog.kubectl), "rollout", "status", DEPLOYMENT, f"--timeout={LIMIT}s"]

    start(COLOURS[0])
    blog.colour = COLOURS[0]
    blog.settle()
    return Competitor(KUBECTL, blog, start)


def helm(blog: Blog) -> Competitor:
    """A chart of the same objects, with the colour among its values."""
    chart = blog.folder.with_name(f"{blog.namespace}-chart")
    configs = write_chart(chart, blog)
    configs[BROKEN] = next(one["metadata"]["name"] for one in objects(blog, BROKEN) if one["kind"] == "ConfigMap")
    program = toolchain.build({"helm"}, console.sink) / "helm"
    place = (f"--kubeconfig={blog.info.kubeconfig}", f"--namespace={blog.namespace}")

    def start(colour: str) -> list[str]:
        values = f"--set=color={colour},config={configs[colour]}"
        how = ("--wait", f"--timeout={LIMIT}s", "--install", "--take-ownership", values)
        return [str(program), *place, "upgrade", "blog", str(chart), *how]

    for colour in (COLOURS[1], COLOURS[0]):  # unmeasured: from here on the objects are helm's
        run(start(colour), blog)
        blog.settle()
    blog.colour = COLOURS[0]
    return Competitor(HELM, blog, start)


def run(argv: list[str], blog: Blog) -> Said:
    """Run a tool and read what it says as it says it."""
    process = subprocess.Popen(
        argv, cwd=blog.folder, env=blog.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout
    lines = [(time.monotonic(), line.rstrip("\n")) for line in process.stdout]
    code = process.wait()
    return Said(lines, time.monotonic(), code)


@contextmanager
def watched(blog: Blog) -> Iterator[Known]:
    """For the body a watch of the blog's Deployment and pods, in a thread of its own."""
    known, ready, over = Known(), threading.Event(), threading.Event()

    async def look() -> None:
        async with (
            Cluster.connect(blog.info.kubeconfig, blog.info.context) as cluster,
            Mirror(cluster, blog.namespace, ("Deployment", "ReplicaSet", "Pod")) as mirror,
        ):
            name = DEPLOYMENT.partition("/")[2]
            found = mirror.get("Deployment", name)
            before = found["metadata"]["generation"] if found else 0
            ready.set()
            while not over.is_set():
                seen = mirror.version
                found = mirror.get("Deployment", name)
                if found and found["metadata"]["generation"] > before:
                    note(found, mirror, known)
                await mirror.changed(0.5, since=seen)

    thread = threading.Thread(target=lambda: asyncio.run(look()))
    thread.start()
    ready.wait(30)
    try:
        yield known
    finally:
        over.set()
        thread.join()


def note(found: Object, mirror: Mirror, known: Known) -> None:
    """Write down when it is complete, and when a container of the new pods has ended twice."""
    if known.complete is None and isinstance(tracker("Deployment").verdict(found, mirror), Done):
        known.complete = time.monotonic()
    if known.crashed is None:
        statuses = [
            status
            for pod in tracker("Deployment").pods(found, mirror)
            for status in pod.get("status", {}).get("containerStatuses", ())
        ]
        if any(one["restartCount"] and not one["state"].get("running") for one in statuses):
            known.crashed = time.monotonic()
