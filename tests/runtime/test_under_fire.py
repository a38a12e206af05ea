"""Beat when its process is killed, or there are two: it is never two that send, and nothing is sent again. And a worker
that is killed with an answer of Redis' that it has not read: the task is not lost.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
import shop
from environments import Environment
from test_serve import members
from test_worker import NEWEST, OLD, redis, working

pytestmark = pytest.mark.runtime
__all__ = ["redis"]

LOOK = """
import os, time
from nuages_runtime import taking

taking.take_at_once(os.environ)
from shop.celery import add, app

connection = app.connection_for_read()
channel = connection.channel()
at = app.connection_for_write().default_channel.client


def seen():
    return at.llen("celery"), at.hlen("unacked"), at.zcard("unacked_index")


"""
# Ends when Redis has answered and nothing was read.
UNREAD = f"""{LOOK}
at.flushdb()
add.delay(4, 5)
print(*seen())
channel.basic_consume("celery", no_ack=False, callback=print, consumer_tag="a")
connection.transport.cycle._register_BRPOP(channel)
while (now := seen())[0]:
    time.sleep(0.01)
print(*now, flush=True)
os._exit(0)
"""
GIVEN_BACK = f"""{LOOK}
[channel.qos.restore_by_tag(tag) for tag in at.hkeys("unacked")]
print(*seen())
"""
# How often the schedule says that the task was sent; it is being written while it is read.
KEPT = "import shelve; print(shelve.open('/app/schedule', 'r')['entries']['a'].total_run_count or '')"
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
                assert first.process.poll() is None
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
        while not environment.run(["python", "-c", KEPT], tmp_path).out.strip().isdigit():
            assert first.process.poll() is None  # it is sent, and not yet written down
        for pid in members(first.process.pid):
            os.kill(pid, signal.SIGKILL)
    with working(environment, tmp_path, redis, "beat", NUAGES_BEAT_SCHEDULE="/app/schedule") as second:
        second.said("Sending due task a")
    # By their own clocks: when a line is read says little on a busy machine.
    before, after = (datetime.fromisoformat(json.loads(sent(beat)[0])["time"]) for beat in (first, second))
    assert (after - before).total_seconds() > 10, "as many seconds later as the schedule says"


@pytest.mark.parametrize("name", [OLD, NEWEST])
def test_a_task_that_redis_gave_to_a_worker_that_never_read_it_is_noted_and_given_back(
    environments: Callable[[str], Environment], tmp_path: Path, redis: str, name: str
) -> None:
    environment = environments(name)
    if not (tmp_path / "shop").is_dir():
        shop.write(tmp_path)
    own = {"CELERY_BROKER_URL": f"{redis}/7", "NUAGES_OVERLAY": "celery"}
    env = {"CELERY_RESULT_BACKEND": f"{redis}/2", "DJANGO_SETTINGS_MODULE": "shop.settings", **own}
    told = environment.run(["python", "-c", UNREAD], tmp_path, env)
    assert told.out.splitlines() == ["1 0 0", "0 1 1"], told.err
    told = environment.run(["python", "-c", GIVEN_BACK], tmp_path, env)
    assert told.out.splitlines() == ["1 0 0"], told.err
    with working(environment, tmp_path, redis, **own) as worker:
        worker.said("adding 4 and 5")
    assert not [line for line in worker.log if "as kombu does by itself" in line]


def sent(beat: object) -> list[str]:
    return [line for line in beat.log if "Sending due task a" in line]  # type: ignore[attr-defined]
