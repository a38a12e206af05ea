"""How long anybody waits while a migration runs: a writer and a reader hammer a table of a million rows, as the old
code does, and the longest wait of each is counted, operation by operation; and again while the next release takes away
what was left.

The goal is 200 ms beyond `lock_timeout`; an operation that can't keep it is refused, with the safe way.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.runtime import environments, staged
from tests.runtime.postgres import PASSWORD, postgres

from benchmarks.measure import say
from nuages.image.container import Volume

GOAL = 200
"""Milliseconds beyond the lock time-out."""
TIMEOUT = 2000
HERE = Path(staged.__file__)


def main(argv: Sequence[str]) -> None:
    """Measure and print; exit code 1 where somebody waited longer than the goal."""
    parser = argparse.ArgumentParser(prog="benchmarks locks", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--environment", choices=environments.MATRIX, default="django6.1-python3.13")
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {len(staged.CASES)}: {', '.join(staged.CASES)}")
    options = parser.parse_args(argv)

    say(f"{options.rows} rows, lock_timeout {TIMEOUT} ms, in {options.environment}")
    with (
        tempfile.TemporaryDirectory() as data,
        tempfile.TemporaryDirectory() as folder,
        postgres(Path(data)) as address,
    ):
        answers = hammer(options.environment, address, Path(folder), options.rows, options.cases)
    width = max(map(len, staged.CASES))
    print(f"{'':<{width}}  {'':8}  {'write':>7}  {'read':>7}  {'later: write':>12}  {'read':>7}  {'migrate':>8}")
    for answer in answers:
        print(line(answer, width))
    slow = [answer["name"] for answer in answers if worst(answer) > GOAL]
    broken = [f"{answer['name']}: {answer.get('error') or answer['errors']}" for answer in answers if wrong(answer)]
    say(f"{len(answers)} operations; beyond {GOAL} ms: {', '.join(slow) or 'none'}")
    if broken:
        sys.exit("\n".join(broken))


def hammer(name: str, address: str, folder: Path, rows: int, cases: Sequence[str]) -> list[dict[str, Any]]:
    """Each case in one interpreter, one after the other."""
    environment = environments.ensure(name)
    env = {"DATABASE": address, "PASSWORD": PASSWORD, "LOCK_TIMEOUT": f"{TIMEOUT}ms", "FOLDER": "/app"}
    mounted = [Volume(HERE, "/tests/staged.py")]
    answers = []
    with environment.started(["python", "/tests/staged.py", str(rows), *cases], folder, env, mounted) as process:
        assert process.stdout is not None
        for told in process.stdout:
            if told.startswith("{"):
                answers.append(json.loads(told))
            else:
                say(told.rstrip())
    return answers


def worst(answer: dict[str, Any]) -> int:
    """The longest that anybody waited, in milliseconds."""
    return max([*answer.get("longest", {}).values(), *answer.get("contract", {}).values()], default=0)


def wrong(answer: dict[str, Any]) -> bool:
    """Whether something else is wrong than the time."""
    return answer["kind"] == "failed" or bool(answer.get("errors")) or bool(answer.get("invalid"))


def line(answer: dict[str, Any], width: int) -> str:
    """One line of the table."""
    now, later = answer.get("longest", {}), answer.get("contract", {})
    times = [f"{found:>{size}} ms" if found is not None else " " * (size + 3) for found, size in _times(now, later)]
    taken = f"{answer['seconds']:>6} s" if "seconds" in answer else ""
    return f"{answer['name']:<{width}}  {answer['kind']:<8}  {'  '.join(times)}  {taken}".rstrip()


def _times(now: dict[str, int], later: dict[str, int]) -> list[tuple[int | None, int]]:
    return [(now.get("write"), 4), (now.get("read"), 4), (later.get("write"), 9), (later.get("read"), 4)]
