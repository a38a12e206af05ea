"""100,000 short tasks while a worker is killed every two seconds: none may be lost, and what was done twice is counted.

Real workers of the runtime's on a real Redis, killed as a node without memory kills them: all processes at once. Tasks
are acknowledged when they are done (`acks_late`), so what a dead worker had is given to another one.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.runtime import underfire

from benchmarks.measure import say


def main(argv: Sequence[str]) -> None:
    """Measure and print; exit code 1 where a task was lost."""
    parser = argparse.ArgumentParser(prog="benchmarks tasks", description=__doc__)
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--every", type=float, default=2.0, help="Seconds from one kill to the next.")
    parser.add_argument("--limit", type=float, default=3600.0, help="Seconds until it is given up.")
    options = parser.parse_args(argv)

    with tempfile.TemporaryDirectory() as folder, underfire.redis_server() as redis:
        fire = underfire.Fire(Path(folder), redis)
        seen = fire.burn(options.tasks, workers=options.workers, every=options.every, limit=options.limit)
    say(f"{seen.tasks} tasks in {seen.seconds:.0f} s, {seen.killed} workers killed")
    say(f"{seen.lost} lost, {seen.again} done once more, {seen.waiting} still to do")
    if seen.lost or seen.waiting:
        sys.exit(1)
