from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from nuages_runtime import alive
from nuages_runtime.heart import PATIENCE, Heart

pytestmark = pytest.mark.unit


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def heart(tmp_path: Path, clock: Clock) -> Heart:
    return Heart(str(tmp_path / "alive"), clock)


def test_a_loop_that_turns_is_alive_and_one_that_stands_still_is_not(heart: Heart, clock: Clock) -> None:
    heart.turned()
    clock.now += PATIENCE - 1
    assert heart.healthy()
    clock.now += 1
    assert not heart.healthy()


@pytest.mark.parametrize("state", ["reconnecting", "stopping"])
def test_a_broker_that_is_away_for_an_hour_kills_no_worker(heart: Heart, clock: Clock, state: str) -> None:
    heart.turned()
    heart.excuse(state)
    clock.now += 3600
    assert heart.healthy()


def test_a_worker_that_never_connected_is_alive(heart: Heart, clock: Clock) -> None:
    clock.now += 3600
    assert heart.healthy()


def test_a_task_in_the_loops_own_thread_may_take_its_time(heart: Heart, clock: Clock) -> None:
    heart.turned()
    heart.ask = lambda: True
    clock.now += 3600
    assert heart.healthy()


def test_the_file_says_the_state_and_grows_old_when_nothing_turns(heart: Heart, clock: Clock, tmp_path: Path) -> None:
    file = tmp_path / "alive"
    heart.turned()
    heart.write()
    assert file.read_text() == "running\n"
    file.unlink()
    clock.now += PATIENCE
    heart.write()
    assert not file.exists()


def test_the_probe_judges_by_the_files_age(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "alive"
    monkeypatch.setattr(alive, "FILE", str(file))
    monkeypatch.setattr("sys.argv", ["alive", "60"])
    with pytest.raises(SystemExit, match="no heartbeat yet"):
        alive.main()
    file.touch()
    alive.main()
    monkeypatch.setattr("sys.argv", ["alive", "60", "running"])
    file.write_text("connecting\n")
    with pytest.raises(SystemExit, match="no connection to the broker yet"):
        alive.main()
    file.write_text("reconnecting\n")
    alive.main()
    old = time.time() - 90
    os.utime(file, (old, old))
    with pytest.raises(SystemExit, match="no heartbeat for 90 s"):
        alive.main()


def test_a_heartbeat_that_cannot_be_written_ends_no_thread(tmp_path: Path, clock: Clock) -> None:
    heart = Heart(str(tmp_path / "no-folder" / "alive"), clock)
    heart.turned()
    (tmp_path / "no-folder").mkdir()
    heart.write()
    assert (tmp_path / "no-folder" / "alive").read_text() == "running\n"
