from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nuages_runtime.scrape import forget_ended
from nuages_runtime.slots import Slots

pytestmark = pytest.mark.unit

TAKE = """
import sys
from pathlib import Path

from nuages_runtime.slots import Slots

print(Slots(Path(sys.argv[1])).mine(), flush=True)
sys.stdin.read()
"""


def process(folder: Path) -> subprocess.Popen[str]:
    """One that has taken a slot, which is its first line, and ends when its input does."""
    return subprocess.Popen(
        [sys.executable, "-c", TAKE, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_who_comes_after_a_killed_process_takes_its_slot(tmp_path: Path) -> None:
    with process(tmp_path) as first, process(tmp_path) as second:
        names = [each.stdout.readline().strip() for each in (first, second) if each.stdout]
        assert sorted(names) == ["slot0", "slot1"]
        first.kill()
        first.wait()
        with process(tmp_path) as third:
            assert third.stdout
            assert third.stdout.readline().strip() == names[0]


def test_a_fork_takes_a_slot_of_its_own(tmp_path: Path) -> None:
    slots = Slots(tmp_path)
    assert slots.mine() == slots.mine() == "slot0"
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.write(writing, slots.mine().encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 100) == b"slot1"
    assert slots.mine() == "slot0"
    for end in (reading, writing):
        os.close(end)


def test_gauges_of_the_living_stay_and_those_of_the_ended_go(tmp_path: Path) -> None:
    slots = Slots(tmp_path)
    assert slots.mine() == "slot0"
    with process(tmp_path) as other, process(tmp_path) as ended:
        names = [each.stdout.readline().strip() for each in (other, ended) if each.stdout]
        ended.kill()
        ended.wait()
        for name in (slots.mine(), *names, str(os.getpid()), "999999999"):
            (tmp_path / f"gauge_livesum_{name}.db").touch()
            (tmp_path / f"counter_{name}.db").touch()
        forget_ended(tmp_path, slots.ended)
        left = {file.stem.rpartition("_")[2] for file in tmp_path.glob("gauge_*.db")}
        assert left == {slots.mine(), names[0], str(os.getpid())}
    assert len(list(tmp_path.glob("counter_*.db"))) == 5


def test_a_slot_is_taken_without_the_gauges_of_its_last_process(tmp_path: Path) -> None:
    for name in ("gauge_livesum_slot0.db", "gauge_livesum_slot1.db", "counter_slot0.db"):
        (tmp_path / name).touch()
    assert Slots(tmp_path).mine() == "slot0"
    assert sorted(file.name for file in tmp_path.glob("*.db")) == ["counter_slot0.db", "gauge_livesum_slot1.db"]
