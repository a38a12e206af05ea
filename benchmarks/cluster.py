"""`nuages cluster up`, beside the time until its API server is ready: the least that any cluster takes.

Warm: the programs are built, the cluster is made anew each round. `--cold` makes one more from empty caches: every
module is downloaded and every program compiled, which takes minutes and some 10 GB in the temporary folder. Debian's
packages (containerd, runc, ...) are installed once for all; that is not measured.
"""

from __future__ import annotations

import argparse
import os
import ssl
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from subprocess import STDOUT, Popen
from typing import NamedTuple

from benchmarks.measure import NUAGES, Samples, rounds, say, seconds, table
from nuages.local.info import read

POLL = 0.05  # seconds between two looks; each is one small request, where a kubectl would slow down what it measures


class Kind(NamedTuple):
    """A kind of cluster: the name of ours on this machine, its options, and in how many seconds it should be up."""

    name: str
    options: tuple[str, ...]
    goal: int


NODE, API_ONLY = Kind("bench", (), 25), Kind("bench-api", ("--api-only",), 5)
COLD = Kind("bench-cold", (), 15 * 60)


def main(argv: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks cluster", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cold", action="store_true", help="once more, from empty caches (long)")
    options = parser.parse_args(argv)

    for kind in (NODE, API_ONLY):
        measure(kind, {})  # once unmeasured: it builds what is not built
    samples: Samples = {}
    for _, kind in rounds(options.rounds, (NODE, API_ONLY)):
        measure(kind, samples)
    if options.cold:
        with tempfile.TemporaryDirectory(prefix="nuages-cold-") as empty:
            caches = {name: f"{empty}/{name.lower()}" for name in ("XDG_CACHE_HOME", "GOCACHE", "GOMODCACHE")}
            measure(COLD, samples, caches)
    table(samples)


def measure(kind: Kind, samples: Samples, env: Mapping[str, str] | None = None) -> None:
    """Make the cluster anew and take it down; add what each part took to the samples."""
    down = (NUAGES, "cluster", "down", "--name", kind.name)
    seconds(*down)  # where an earlier run was interrupted
    try:
        total, ready = up(kind, {**os.environ, **(env or {})})
    finally:
        gone = seconds(*down)
    say(f"{kind.name}: up in {total:.1f} s, its API server ready after {ready:.1f} s, down in {gone:.1f} s")
    up_line = " ".join(("cluster up", *kind.options)) + (" from empty caches" if env else "")
    samples.setdefault(f"{up_line} (goal {kind.goal} s)", []).append(total)
    samples.setdefault(f"{up_line}, until /readyz", []).append(ready)
    samples.setdefault(" ".join(("cluster down", *kind.options)), []).append(gone)


def up(kind: Kind, env: Mapping[str, str]) -> tuple[float, float]:
    """Bring it up; seconds until the command ended, and until the API server said that it is ready."""
    argv = [str(NUAGES), "cluster", "up", "--provider", "nuages", "--name", kind.name, *kind.options]
    ready = None
    with tempfile.TemporaryFile("w+") as log:
        began = time.perf_counter()
        with Popen(argv, env=env, stdout=log, stderr=STDOUT) as command:
            while ready is None and command.poll() is None:
                time.sleep(POLL)
                if is_ready(kind.name):
                    ready = time.perf_counter() - began
        total = time.perf_counter() - began
        if command.returncode:
            log.seek(0)
            sys.exit(f"cluster {kind.name} does not come up:\n{log.read()}")
    return total, total if ready is None else ready


def is_ready(name: str) -> bool:
    """What `kubectl get --raw /readyz` asks. Anybody may ask it, so it takes no certificate."""
    info = read(name)
    if info is None:
        return False
    anybody = ssl._create_unverified_context()
    try:
        with urllib.request.urlopen(f"{info.server}/readyz", timeout=1, context=anybody) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
