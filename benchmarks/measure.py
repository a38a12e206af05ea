"""Wall clock around programs, rounds that are interleaved, and the table of what was seen."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import TypeVar

T = TypeVar("T")

NUAGES = Path(sys.executable).with_name("nuages")
"""The command as its users start it."""

Samples = dict[str, list[float]]
"""What was measured -> seconds, one entry for each round."""


def seconds(*argv: str | Path, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> float:
    """Run a program to its end; the wall clock around it, its own start-up included.

    A program that fails ends the benchmark, with what it said.
    """
    # Python keeps what it compiled, as it does for its users, whatever this shell says.
    surroundings = {name: value for name, value in (env or os.environ).items() if name != "PYTHONDONTWRITEBYTECODE"}
    before = time.perf_counter()
    done = subprocess.run(argv, env=surroundings, cwd=cwd, capture_output=True, text=True, check=False)
    took = time.perf_counter() - before
    if done.returncode:
        sys.exit(f"`{' '.join(map(str, argv))}` ended with exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return took


def rounds(count: int, competitors: Sequence[T]) -> Iterator[tuple[int, T]]:
    """Every competitor once a round, each round beginning with the next one: nobody always runs after the same one."""
    for number in range(count):
        first = number % len(competitors)
        for competitor in (*competitors[first:], *competitors[:first]):
            yield number + 1, competitor


def say(line: str) -> None:
    """News while it runs; the result is on standard output, this is not part of it."""
    print(f"  {line}", file=sys.stderr, flush=True)


def table(samples: Samples, unit: str = "s") -> None:
    """Print a line for each: median, least, most; in seconds or milliseconds."""
    factor = {"s": 1, "ms": 1000}[unit]
    width = max(map(len, samples))
    print(f"{'':<{width}}  {'median':>9}  {'min':>9}  {'max':>9}  rounds")
    for name, taken in samples.items():
        numbers = "  ".join(f"{value * factor:>6.1f} {unit:<2}" for value in (median(taken), min(taken), max(taken)))
        print(f"{name:<{width}}  {numbers}  {len(taken):>6}")


def ratio(samples: Samples, ours: str, theirs: str, goal: str) -> None:
    """Print how the medians compare, and the span of the rounds compared one by one."""
    each = [mine / other for mine, other in zip(samples[ours], samples[theirs], strict=True)]
    overall = median(samples[ours]) / median(samples[theirs])
    print(f"{ours} / {theirs}: {overall:.2f}  (each round {min(each):.2f} to {max(each):.2f}; goal {goal})")
