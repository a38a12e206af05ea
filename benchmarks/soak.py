"""Requests lost while everything happens that happens to a site: releases of all kinds, pods evicted and deleted.

Two sites of one project, by gunicorn and by uvicorn, each through its load balancer; eight clients that never pause and
never try again, one of them with a websocket. Ends by itself: when a million requests are answered, or after its time.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.e2e import ring_project
from tests.e2e.disturbance import Site
from tests.e2e.traffic import Traffic

from benchmarks.measure import NUAGES, say, seconds
from nuages.cli.console import console
from nuages.local import toolchain
from nuages.local.cluster import up
from nuages.local.info import ClusterInfo, read

CLIENTS = {"wsgi": {"kept": 2, "new": 2, "slow": 1}, "asgi": {"kept": 1, "new": 1, "socket": 1}}
EVENTS = ("rollout", "evict", "ship", "delete", "canary", "evict_static", "rollback", "aborted")
SHOWN = 20


def main(argv: Sequence[str]) -> None:
    """Soak, and print what was counted; exit code 1 where anything was lost."""
    parser = argparse.ArgumentParser(prog="benchmarks soak", description=__doc__)
    parser.add_argument("--cluster", default="nuages", help="the local cluster; brought up where it does not run")
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--minutes", type=float, default=20, help="the longest that it takes")
    parser.add_argument("--events", default=",".join(EVENTS), help="what happens, in turn")
    options = parser.parse_args(argv)

    info = read(options.cluster)
    if info is None or not info.running:
        info = up(options.cluster, sink=console.sink)
    with tempfile.TemporaryDirectory() as work:
        sites = {interface: site(Path(work) / interface, info, interface) for interface in CLIENTS}
        try:
            for each in sites.values():
                each.ship()
            addresses = {name: (each.address(), CLIENTS[name]) for name, each in sites.items()}
            with Traffic(addresses) as traffic:
                happened, took = disturb(traffic, list(sites.values()), options)
            report(traffic, happened, took)
        finally:
            say("remove the namespaces")
            names = [f"soak-{interface}" for interface in CLIENTS]
            seconds(kubectl(), f"--kubeconfig={info.kubeconfig}", "delete", "namespace", "--ignore-not-found", *names)
    if traffic.lost:
        sys.exit(1)


def site(folder: Path, info: ClusterInfo, interface: str) -> Site:
    """The project served by one interface, not deployed yet."""
    namespace = f"soak-{interface}"
    ring_project.write(folder, info.context, namespace, interface)
    env = os.environ | {"KUBECONFIG": str(info.kubeconfig)}

    def nuages(*arguments: str) -> str:
        done = subprocess.run([NUAGES, *arguments], cwd=folder, env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(
                f"`nuages {' '.join(arguments)}` ended with {done.returncode}\n{done.stdout}{done.stderr}"
            )
        return done.stdout

    place = (kubectl(), f"--kubeconfig={info.kubeconfig}", f"--namespace={namespace}")
    return Site(interface, folder, ring_project.STYLE, nuages, place)


def kubectl() -> Path:
    """The program."""
    return toolchain.build({"kubectl"}, console.sink) / "kubectl"


def disturb(traffic: Traffic, sites: list[Site], options: argparse.Namespace) -> tuple[Counter[str], float]:
    """Let one thing after the other happen, to each site in turn, until there are enough requests; how often, and how
    long it took in all.
    """
    happened: Counter[str] = Counter()
    began = time.monotonic()
    while True:
        for event in options.events.split(","):
            for each in sites:
                took = time.monotonic() - began
                if traffic.requests >= options.requests or took > options.minutes * 60:
                    return happened, took
                name = f"{event.replace('_', ' ')} of {each.name}"
                happened[event.replace("_", " ")] += 1
                run(traffic, name, getattr(each, event))
                say(f"{took:6.0f} s  {name}: {traffic.requests} requests, {len(traffic.lost)} lost")


def run(traffic: Traffic, name: str, event: Callable[[], None]) -> None:
    """One event; what can't be done is told, and the soak goes on: it is about requests."""
    traffic.during = name
    try:
        event()
    except (RuntimeError, AssertionError, subprocess.CalledProcessError) as error:
        say(f"{name} failed: {error}{getattr(error, 'stderr', '') or ''}")
    traffic.during = f"the time after {name}"


def report(traffic: Traffic, happened: Counter[str], took: float) -> None:
    """The counts by kind, and what was lost first."""
    lost = Counter(loss.kind for loss in traffic.lost)
    print(f"{'clients':<16} {'answered':>10} {'lost':>6}")
    for kind in sorted({*traffic.answered, *lost}):
        print(f"{kind:<16} {traffic.answered[kind]:>10} {lost[kind]:>6}")
    print(", ".join(f"{count} {name}" for name, count in sorted(traffic.seen.items()) if name.startswith("websockets")))
    print("happened: " + ", ".join(f"{name} {count}" for name, count in sorted(happened.items())))
    releases = len([name for name in traffic.seen if name.startswith("release")])
    print(f"{releases} releases answered; {traffic.requests / took:.0f} requests/s for {took:.0f} s")
    print(f"{len(traffic.lost)} lost of {traffic.requests}")
    for loss in traffic.lost[:SHOWN]:
        print(f"  {loss}")
