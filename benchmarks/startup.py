"""Start-up: `nuages --help` beside `kubectl --help`, and beside a Python that does nothing, the least possible."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import NUAGES, ratio, rounds, seconds, table
from nuages.cli.console import console
from nuages.local import toolchain


def main(argv: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks startup", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args(argv)

    kubectl = toolchain.build({"kubectl"}, console.sink) / "kubectl"
    commands: dict[str, tuple[str | Path, ...]] = {
        "nuages --help": (NUAGES, "--help"),
        "kubectl --help": (kubectl, "--help"),
        "python -c pass": (sys.executable, "-c", "pass"),
    }
    for command in commands.values():
        seconds(*command)  # once unmeasured: files come from the disk, and Python writes its byte code
    samples: dict[str, list[float]] = {name: [] for name in commands}
    for _, name in rounds(options.rounds, list(commands)):
        samples[name].append(seconds(*commands[name]))
    table(samples, "ms")
    ratio(samples, "nuages --help", "kubectl --help", "at most 1.00")
