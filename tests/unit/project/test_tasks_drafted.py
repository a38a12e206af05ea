"""A project whose tasks are rows gets the worker of that kind."""

from pathlib import Path

from test_styles import drafted, shop

from nuages.project.inspect import inspect


def test_the_database_backend_of_django_tasks_is_drafted_as_a_worker_of_its_kind(tmp_path: Path) -> None:
    settings = 'TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}\n'
    spec = drafted(inspect(shop(tmp_path, settings)))
    worker = spec.workers["tasks"]
    assert (worker.tasks is not None, worker.command, worker.celery) == (True, None, None)
