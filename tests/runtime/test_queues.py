"""Tasks that wait in a real Redis: counted, waited for, and put before other workers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import shop
from environments import Environment
from test_worker import NEWEST, SEND, redis, working

__all__ = ["redis"]

pytestmark = pytest.mark.runtime

HOLD = """

@app.task(acks_late=True)
def hold(file):
    while not os.path.exists(file):
        time.sleep(0.1)
"""


@pytest.fixture
def queues(environments: Callable[[str], Environment], tmp_path: Path, redis: str):
    """`queues("wait", ...)` on database 8 of that Redis; answers exit code and output."""
    environment = environments(NEWEST)
    shop.write(tmp_path)
    env = {
        "DJANGO_SETTINGS_MODULE": "shop.settings",
        "NUAGES_WSGI": "shop.wsgi:application",
        "NUAGES_CELERY_APP": "shop",
        "CELERY_BROKER_URL": f"{redis}/8",
        "CELERY_RESULT_BACKEND": f"{redis}/2",
        "NUAGES_BROKER_TO": f"{redis}/9",
    }

    def run(*arguments: str) -> tuple[int, str]:
        ended = environment.run(["python", "-m", "nuages_runtime.queues", *arguments], tmp_path, env)
        return ended.code, ended.out.strip()

    def send(call: str) -> None:
        ended = environment.run(["python", "-c", SEND + call], tmp_path, env)
        assert ended.code == 0, ended.err

    def started(*arguments: str):
        return environment.started(["python", "-m", "nuages_runtime.queues", *arguments], tmp_path, env)

    run.send, run.started = send, started
    return run


def test_tasks_are_waited_for_by_number_or_by_name_and_those_that_are_known_are_moved(
    environments: Callable[[str], Environment], tmp_path: Path, redis: str, queues
) -> None:
    assert queues("wait", "--for", "0") == (0, "")
    queues.send("shop.add.delay(2, 3); shop.add.delay(4, 5); shop.app.send_task('shop.gone')")
    assert queues("wait", "--for", "0") == (3, "nuages: 3 waiting, 0 with workers")
    assert queues("wait", "--names", "shop.gone,shop.other", "--for", "0") == (3, "nuages: 1 of shop.gone")
    assert queues("wait", "--names", "shop.other", "--for", "0") == (0, "")
    moved = "nuages: 2 moved; not known there, and left: 1 of shop.gone"
    assert queues("move", "--known", "shop.celery.add") == (0, moved)
    assert queues("wait", "--for", "0") == (3, "nuages: 1 waiting, 0 with workers")
    assert queues("move") == (0, "nuages: 1 moved")
    with working(environments(NEWEST), tmp_path, redis, CELERY_BROKER_URL=f"{redis}/9") as worker:
        worker.said("adding 2 and 3")
        worker.said("adding 4 and 5")
        worker.said("shop.gone is not known here")


def test_a_task_that_a_worker_has_is_waited_for_and_the_set_of_another_broker_is_found_out(
    environments: Callable[[str], Environment], tmp_path: Path, redis: str, queues
) -> None:
    own = {"CELERY_BROKER_URL": f"{redis}/8", "NUAGES_TRACK": "canary"}
    celery = tmp_path / "shop" / "celery.py"
    celery.write_text(celery.read_text() + HOLD)
    with working(environments(NEWEST), tmp_path, redis, **own) as worker:
        worker.said(" ready.")
        queues.send("shop.hold.delay('/app/go')")
        with queues.started("wait", "--names", "shop.celery.hold", "--for", "300") as waiting:
            assert waiting.stdout.readline() == "nuages: 1 of shop.celery.hold\n"
            (tmp_path / "go").touch()
            assert waiting.wait(120) == 0
    celery.write_text(f'{celery.read_text()}\napp.conf.broker_read_url = "{redis}/1"\n')
    with working(environments(NEWEST), tmp_path, redis, **own) as worker:
        worker.said("the project does not take its broker from CELERY_BROKER_URL")
