"""Every component of an app tries every other, on every port, and the outside: beside what the topology says.

A pod for each of the components there may be, with the labels and the walls that nuages gives it, listening on every
port that a way may name and on two that none does. What gets through is measured on the node, and compared.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.e2e.matrix import COMPONENTS, ELSEWHERE, OUTSIDE, PORTS, Matrix, servers_outside

from benchmarks.measure import say
from nuages.image import base
from nuages.local.cluster import load, up

PATIENCE = 60
NAMESPACE = f"matrix-{os.getpid()}"


def main(argv: Sequence[str]) -> None:
    """Measure and print; ends with an error where a pair differs."""
    parser = argparse.ArgumentParser(prog="benchmarks matrix", description=__doc__)
    parser.add_argument("--cluster", default="nuages")
    parser.add_argument("--output", type=Path, help="write every pair there, one a line")
    options = parser.parse_args(argv)

    cluster = up(options.cluster)
    load(cluster.name, [base.archive("python:3.13-slim")])
    subprocess.run([*cluster.kubectl, "create", "namespace", NAMESPACE], check=True, stdout=subprocess.DEVNULL)
    matrix = Matrix(cluster, NAMESPACE)
    try:
        with servers_outside():
            matrix.start()
            computed = matrix.computed()
            settle(matrix, [pair for pair, is_open in computed.items() if is_open])
            began = time.perf_counter()
            measured = matrix.measured(list(computed))
    finally:
        matrix.end()
        subprocess.run([*cluster.kubectl, "delete", "namespace", NAMESPACE, "--wait=false"], check=True)
    took = time.perf_counter() - began
    say(f"{len(computed)} pairs of client, server and port, tried in {took:.1f} s; {sum(measured.values())} are open")
    for client in (*COMPONENTS, ELSEWHERE, OUTSIDE):
        ways = [f"{server}:{port}" for (of, server, port), is_open in measured.items() if of == client and is_open]
        say(f"  {client:<10} {', '.join(ways) or '-'}")
    if options.output:
        lines = [f"{client} {server} {port} {is_open}" for (client, server, port), is_open in sorted(measured.items())]
        options.output.write_text("\n".join(lines) + "\n")
    wrong = [pair for pair in computed if computed[pair] != measured[pair]]
    say(f"{len(COMPONENTS)} components, {len(PORTS)} ports: {len(wrong)} pairs differ from what the topology says")
    if wrong:
        sys.exit("\n".join(f"{pair}: computed {computed[pair]}, measured {measured[pair]}" for pair in wrong))


def settle(matrix: Matrix, ways: Sequence[tuple[str, str, int]]) -> None:
    """Wait until the node's kernel has every way that is to be open."""
    end = time.monotonic() + PATIENCE
    while not all(matrix.measured(ways).values()):
        if time.monotonic() > end:
            break  # what is closed is said with all the rest
