"""100,000 short tasks while a worker is killed every two seconds: none may be lost, and what was done twice is counted.

Real workers of the runtime's on a real broker, killed as a node without memory kills them: all processes at once. Tasks
are acknowledged when they are done (`acks_late`), so what a dead worker had is given to another one. `--plain` takes
them from Redis as kombu does by itself, for comparison.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.runtime import underfire

from benchmarks.measure import say


def main(argv: Sequence[str]) -> None:
    """Measure and print; exit code 1 where a task was lost."""
    parser = argparse.ArgumentParser(prog="benchmarks tasks", description=__doc__)
    parser.add_argument("--broker", choices=["redis", "rabbitmq"], default="redis")
    parser.add_argument("--plain", action="store_true", help="Without the runtime's way of taking from a Redis.")
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=6)
    parser.add_argument("--every", type=float, default=2.0, help="Seconds from one kill to the next.")
    parser.add_argument("--limit", type=float, default=3600.0, help="Seconds until it is given up.")
    parser.add_argument("--verbose", action="store_true", help="Say after each kill how far it is.")
    options = parser.parse_args(argv)

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        redis = stack.enter_context(underfire.redis_server())
        broker = stack.enter_context(underfire.rabbitmq_server()) if options.broker == "rabbitmq" else ""
        fire = underfire.Fire(folder, redis, broker, overlay="" if options.plain else "celery")
        seen = fire.burn(
            options.tasks,
            workers=options.workers,
            every=options.every,
            limit=options.limit,
            said=say if options.verbose else None,
        )
    say(f"{seen.tasks} tasks in {seen.seconds:.0f} s, {seen.killed} workers killed")
    say(f"{seen.lost} lost, {seen.again} done once more, {seen.waiting} still to do")
    if seen.lost or seen.waiting:
        sys.exit(1)
