"""Beat when its process is killed, or there are two: it is never two that send, and nothing is sent again."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import shop
from environments import Environment
from test_serve import members
from test_worker import NEWEST, redis, working

pytestmark = pytest.mark.runtime
__all__ = ["redis"]

BEATS = "\n\napp.conf.beat_schedule = {'a': {'task': 'shop.celery.add', 'schedule': 1, 'args': (1, 2)}}\n"


def test_of_two_beats_on_one_volume_one_sends_and_the_other_takes_over(
    environments: Callable[[str], Environment], tmp_path: Path, redis: str
) -> None:
    environment = environments(NEWEST)
    shop.write(tmp_path)
    with (tmp_path / "shop" / "celery.py").open("a") as module:
        module.write(BEATS)
    told = {"NUAGES_BEAT_SCHEDULE": "/app/schedule"}
    with working(environment, tmp_path, redis, "beat", **told) as first:
        first.said("Sending due task a")
        with working(environment, tmp_path, redis, "beat", **told) as second:
            second.said("another beat still runs")
            count = len(sent(first))
            while len(sent(first)) < count + 3:
                time.sleep(0.1)
            assert not sent(second), "it waits"
            for pid in members(first.process.pid):
                os.kill(pid, signal.SIGKILL)
            second.said("Sending due task a")
            assert not [line for line in second.log if "Traceback" in line]


def test_what_was_sent_is_not_sent_again_by_a_beat_whose_predecessor_was_killed(
    environments: Callable[[str], Environment], tmp_path: Path, redis: str
) -> None:
    environment = environments(NEWEST)
    shop.write(tmp_path)
    with (tmp_path / "shop" / "celery.py").open("a") as module:
        module.write(BEATS.replace("'schedule': 1,", "'schedule': 12,"))
    with working(environment, tmp_path, redis, "beat", NUAGES_BEAT_SCHEDULE="/app/schedule") as first:
        first.said("Sending due task a")
        began = time.monotonic()
        time.sleep(0.5)
        for pid in members(first.process.pid):
            os.kill(pid, signal.SIGKILL)
    with working(environment, tmp_path, redis, "beat", NUAGES_BEAT_SCHEDULE="/app/schedule") as second:
        second.said("Sending due task a")
        assert time.monotonic() - began > 10, "as many seconds later as the schedule says"


def sent(beat: object) -> list[str]:
    return [line for line in beat.log if "Sending due task a" in line]  # type: ignore[attr-defined]
