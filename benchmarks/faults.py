"""Every single call of a release, disturbed: lost before or after it is done, cut, late, doubled, answered 409, 410,
429, 500 or 503; and the process killed after it. Each time the command is run again until it succeeds. What is there
then is compared with what the undisturbed command leaves. Migrations really run, on a real PostgreSQL, to be done once.

    python -m benchmarks faults                          all of it: some hours
    python -m benchmarks faults --actions change --kinds kill lose --every 5
    python -m benchmarks faults --writes --kinds kill lose      only the calls that change something
"""

# The tests of the API server are on nobody's path until they are asked for.
# ruff: noqa: PLC0415

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import say
from nuages.local.cluster import up

if TYPE_CHECKING:
    from faults import End, Ground

TESTS = Path(__file__).parents[1] / "tests" / "api"


def main(argv: Sequence[str]) -> None:
    """Disturb and print; ends with 1 where anything is different afterwards."""
    sys.path.insert(0, str(TESTS))
    import beside
    import faultstory
    from faults import Ground, Kind

    parser = argparse.ArgumentParser(prog="benchmarks faults", description=__doc__)
    parser.add_argument("--cluster", default="bench-faults", help="one without a node; made where it is not")
    parser.add_argument("--actions", nargs="+", choices=list(faultstory.BEFORE), default=list(faultstory.BEFORE))
    parser.add_argument("--kinds", nargs="+", choices=list(Kind), default=list(Kind))
    parser.add_argument("--writes", action="store_true", help="only calls that change something; no dry runs")
    parser.add_argument("--every", type=int, default=1, help="each so-manieth call alone")
    parser.add_argument("--parallel", type=int, default=2)
    options = parser.parse_args(argv)
    packages = beside.packages()
    if packages is None:
        sys.exit("no Django is at hand for this Python")
    faultstory.hurry()
    kubeconfig = up(options.cluster, api_only=True).kubeconfig
    postgres = beside.module("postgres")
    with (
        tempfile.TemporaryDirectory() as data,
        tempfile.TemporaryDirectory() as work,
        postgres.postgres(Path(data)) as address,
    ):
        database = f"postgres://blog:{postgres.ENCODED}@{address}"
        ground = Ground(kubeconfig, Path(work), database, packages)
        different = [asyncio.run(sweep(ground, action, options)) for action in options.actions]
    if any(different):
        sys.exit(f"{sum(different)} ended differently")


async def sweep(ground: Ground, action: str, options: argparse.Namespace) -> int:
    """Disturb each call of one command in each way; how many ended differently."""
    from faults import Kind

    undisturbed = await ground.tried(action, None)
    assert undisturbed.attempts == 1, undisturbed.said
    each = ground.faults(action, [Kind(kind) for kind in options.kinds])
    if options.writes:
        each = [one for one in each if writes(one.call)]
    some = len(options.kinds) * options.every
    left = [fault for number, fault in enumerate(each) if number % some < len(options.kinds)]
    say(f"{action}: {len(undisturbed.calls)} calls undisturbed, {len(left)} disturbances")
    ends: list[End] = []
    different: list[str] = []
    begun = time.monotonic()

    async def one() -> None:
        while left:
            fault = left.pop(0)
            end = await ground.tried(action, fault)
            ends.append(end)
            if told := ground.difference(action, end):
                different.append(f"{fault}, after {end.attempts} attempts {end.said}:\n{told}")
                say(different[-1])

    await asyncio.gather(*(one() for _ in range(options.parallel)))
    print(f"{action}: {len(ends)} disturbances in {time.monotonic() - begun:.0f} s, {len(different)} ended differently")
    table(ends)
    return len(different)


def writes(call: str) -> bool:
    """Whether this call changes something."""
    return not call.startswith("GET ") and not call.endswith(" dryRun")


def table(ends: list[End]) -> None:
    """A line for each kind: how many, how many came too late to matter, and how often the command was run again."""
    print(f"{'':<8}  {'done':>5}  {'not met':>7}  {'at once':>7}  {'run again':>9}  {'more':>5}")
    kinds = dict.fromkeys(end.fault.kind for end in ends if end.fault)
    for kind in kinds:
        mine = [end for end in ends if end.fault and end.fault.kind == kind]
        times = Counter(min(end.attempts, 3) for end in mine)
        missed = sum(not end.hit for end in mine)
        print(f"{kind:<8}  {len(mine):>5}  {missed:>7}  {times[1]:>7}  {times[2]:>9}  {times[3]:>5}")
