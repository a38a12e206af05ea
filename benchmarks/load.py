"""Requests a second, and requests lost, while the blog rolls out: beside the same load with nothing going on.

Eight clients, every other one with a kept connection, through the LoadBalancer's port on this machine's 127.0.0.1.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.e2e.load import Load

from benchmarks.blog import Blog, live

PATTERN = "orange|maroon"


def main(argv: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks load", description=__doc__)
    parser.add_argument("--cluster", default="nuages", help="the local cluster; brought up where it does not run")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quiet", type=float, default=10, help="seconds of load with nothing going on, each round")
    options = parser.parse_args(argv)

    print(f"{'':<16}  {'seconds':>7}  {'requests/s':>10}  {'lost':>4}  answers")
    with tempfile.TemporaryDirectory() as work, live(Path(work), options.cluster, "bench-load") as [blog]:
        address = host_port(blog)
        for _ in range(options.rounds):
            with Load(address, "/", pattern=PATTERN, pause=0) as load:
                began = time.perf_counter()
                time.sleep(options.quiet)
            report("nothing goes on", load, time.perf_counter() - began)
            blog.paint(blog.other_colour())
            with Load(address, "/", pattern=PATTERN, pause=0) as load:
                began = time.perf_counter()
                blog.deploy("--no-build")
                blog.settle()  # the last old pod is drained only after the release is live
            report("during a rollout", load, time.perf_counter() - began)


def host_port(blog: Blog) -> str:
    """Where this machine answers for the LoadBalancer; always its node port, as only one can have port 80."""
    service = json.loads(blog.ask("get", "service", "blog", "--output=json"))
    return f"127.0.0.1:{service['spec']['ports'][0]['nodePort']}"


def report(what: str, load: Load, seconds: float) -> None:
    """One line; the first kinds of loss below it."""
    answered = sum(load.answers.values())
    colours = ", ".join(f"{colour or 'neither colour'} {count}" for colour, count in sorted(load.answers.items()))
    print(f"{what:<16}  {seconds:>7.1f}  {answered / seconds:>10.1f}  {len(load.lost):>4}  {colours}", flush=True)
    for loss in load.lost[:3]:
        print(f"    {loss}")
