"""django.tasks' database worker on a real Django: it works, lives, ends in time, and names what is lost."""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from environments import Environment
from test_serve import members

pytestmark = pytest.mark.runtime

FILES = {
    "rows/__init__.py": "",
    "rows/settings.py": """\
SECRET_KEY = "only for tests"
DEBUG = True
INSTALLED_APPS = ["django_tasks_db"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "/app/rows.sqlite3"}}
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["default", "reports"]}}
USE_TZ = True
""",
    "rows/tasks.py": """\
import time

from django.tasks import task


@task
def add(a, b):
    return a + b


@task(queue_name="reports")
def wait(seconds):
    time.sleep(seconds)
    return "waited"
""",
}
ENVIRONMENT = "django6.1-python3.13-tasks"
ENV = {"DJANGO_SETTINGS_MODULE": "rows.settings", "NUAGES_TASKS_QUEUES": "default,reports"}


class Rows:
    """The project's database and those who work on it."""

    def __init__(self, environment: Environment, folder: Path) -> None:
        self._environment, self._folder = environment, folder
        for name, text in FILES.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text)
        self.asked("from django.core.management import call_command; call_command('migrate', verbosity=0)")

    def asked(self, code: str) -> str:
        ended = self._environment.run(["python", "-c", f"import django; django.setup(); {code}"], self._folder, ENV)
        assert ended.code == 0, ended.err
        return ended.out.strip()

    def query(self, statement: str) -> list[tuple[str, ...]]:
        """Asked of the file itself: starting Django takes longer than a task."""
        with closing(sqlite3.connect(self._folder / "rows.sqlite3", timeout=20)) as connection, connection:
            return connection.execute(statement).fetchall()

    def until(self, statement: str, *expected: list[tuple[str, ...]]) -> None:
        """Ask until the answer is one of these."""
        deadline = time.monotonic() + 120
        while (found := self.query(statement)) not in expected:
            assert time.monotonic() < deadline, found
            time.sleep(0.1)

    @contextmanager
    def working(self, longest: str) -> Iterator[Working]:
        env = {**ENV, "NUAGES_GRACEFUL_TIMEOUT": longest}
        with self._environment.started(["python", "-m", "nuages_runtime.dbtasks"], self._folder, env) as process:
            yield Working(process)


class Working:
    """One worker, and what it says."""

    def __init__(self, process) -> None:
        self.process, self.log = process, list[str]()
        self._reader = threading.Thread(target=lambda: self.log.extend(process.stdout), daemon=True)
        self._reader.start()

    def end(self) -> str:
        os.kill(members(self.process.pid)[0], signal.SIGTERM)
        self.process.wait(120)
        self._reader.join(60)
        return "".join(self.log)


STATUS = "select status from django_tasks_database_dbtaskresult order by enqueued_at"


@pytest.fixture
def rows(environments: Callable[[str], Environment], tmp_path: Path) -> Rows:
    return Rows(environments(ENVIRONMENT), tmp_path)


def test_tasks_of_its_queues_are_done_by_a_worker_that_shows_that_it_lives_and_ends_after_its_task(
    rows: Rows, environments: Callable[[str], Environment], tmp_path: Path
) -> None:
    rows.asked("from rows.tasks import add, wait; add.enqueue(2, 3); wait.enqueue(4)")
    with rows.working("30") as worker:
        rows.until(STATUS, [("SUCCESSFUL",), ("RUNNING",)], [("SUCCESSFUL",), ("SUCCESSFUL",)])
        alive = ["python", "-I", "-m", "nuages_runtime.alive", "60", "running"]
        probe = environments(ENVIRONMENT).run(alive, tmp_path)
        assert probe.code == 0, probe.err
        worker.end()
    assert rows.query(STATUS) == [("SUCCESSFUL",), ("SUCCESSFUL",)]


def test_a_task_that_takes_too_long_fails_at_the_end_and_one_whose_worker_was_killed_is_named(rows: Rows) -> None:
    rows.asked("from rows.tasks import wait; wait.enqueue(600); wait.enqueue(601)")
    with rows.working("1") as worker:
        rows.until(STATUS, [("RUNNING",), ("READY",)])
        worker.end()
    assert rows.query(STATUS) == [("FAILED",), ("READY",)]
    [(why,)] = rows.query("select exception_class_path from django_tasks_database_dbtaskresult where status = 'FAILED'")
    assert why == "builtins.SystemExit"
    with rows.working("1") as worker:
        rows.until(STATUS, [("FAILED",), ("RUNNING",)])
        for pid in members(worker.process.pid):
            os.kill(pid, signal.SIGKILL)
    rows.query("update django_tasks_database_dbtaskresult set started_at = '2026-01-01' where status = 'RUNNING'")
    rows.asked("from rows.tasks import add; add.enqueue(2, 3)")
    with rows.working("1") as worker:
        rows.until(STATUS, [("FAILED",), ("RUNNING",), ("SUCCESSFUL",)])
        said = worker.end()
    assert "RUNNING for longer than longestTask" in said
    assert "rows.tasks.wait" in said
