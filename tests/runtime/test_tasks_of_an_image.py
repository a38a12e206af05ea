"""An image tells which Celery tasks its workers know, read with the real Celery and nobody to talk to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import shop
from environments import Ended, Environment

pytestmark = pytest.mark.runtime

ENV = {"DJANGO_SETTINGS_MODULE": "shop.settings", "CELERY_BROKER_URL": "redis://gone:6379/0"}
TASKS = """
from celery import shared_task

from shop.celery import app


@app.task(bind=True, autoretry_for=(OSError,))
def remind(self, post, subject="hunter2", *, dry=False):
    pass


@shared_task(name="mail.send")
def send(to, *args, **kwargs):
    pass
"""


def ask(environment: Environment, folder: Path, **env: str) -> Ended:
    return environment.run(["python", "-m", "nuages_runtime.facts"], folder, {**ENV, **env})


@pytest.mark.parametrize("name", ["django6.1-python3.13-celery", "django4.2-python3.11-old"])
def test_each_task_is_told_with_how_it_may_be_called(environments, tmp_path: Path, name: str) -> None:
    folder = shop.write(tmp_path)
    (folder / "shop" / "tasks.py").write_text(TASKS)
    with (folder / "shop" / "celery.py").open("a") as file:
        file.write('\napp.conf.imports = ["shop.tasks"]\n')
    ended = ask(environments(name), folder, NUAGES_CELERY_APP="shop", CELERY_RESULT_BACKEND="")
    assert ended.code == 0, ended.err
    told = json.loads(ended.out)
    assert told["tasks"] == {
        "mail.send": "(to, *args, **kwargs)",
        "shop.celery.add": "(a, b)",
        "shop.celery.sleep": "(seconds)",
        "shop.tasks.remind": "(post, subject=, *, dry=)",
    }
    assert "hunter2" not in ended.out
    assert "shop/tasks.py" in told["read"]


def test_an_application_that_does_not_load_leaves_the_tasks_unknown_and_the_image_whole(
    environments, tmp_path: Path
) -> None:
    folder = shop.write(tmp_path)
    ended = ask(environments("django6.1-python3.13-celery"), folder, NUAGES_CELERY_APP="nowhere.celery")
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["tasks"] is None


def test_a_project_without_celery_has_no_tasks(environments, tmp_path: Path) -> None:
    ended = ask(environments("django6.1-python3.13-celery"), shop.write(tmp_path))
    assert json.loads(ended.out)["tasks"] == {}
