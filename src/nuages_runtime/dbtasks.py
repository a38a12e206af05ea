"""`python -m nuages_runtime.dbtasks`: django.tasks' database worker, with a heartbeat and an end that rows are told of.

In: NUAGES_TASKS_QUEUES, _BACKEND (each left out: the command's own), NUAGES_GRACEFUL_TIMEOUT (the longest a task may
take, seconds). The project's command `db_worker` does the work: that of django-tasks-db, or of django-tasks before it.

    SIGTERM    no new tasks, the running one ends (the command's own way)
    later      what still runs after NUAGES_GRACEFUL_TIMEOUT fails with SystemExit: its row says FAILED, and why

A task whose worker is killed stays RUNNING for ever: the library gives none to a second worker. Those that have run for
longer than any may are named in the log, now and then.
"""

# The library and the project are the image's.
# ruff: noqa: PLC0415
# mypy: disable-error-code="import-untyped,import-not-found"

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Container, Mapping
from datetime import timedelta
from importlib import import_module
from typing import Any

from nuages_runtime import early, hook
from nuages_runtime.heart import Heart

COMMAND = "db_worker"
LOOK_EVERY = 300.0
"""Seconds between two looks for tasks that nobody runs any more."""
AT_MOST = 5
"""So many of them are named."""

log = logging.getLogger("nuages")


def arguments(environ: Mapping[str, str], known: Container[str]) -> list[str]:
    """What the command gets, of the options that it knows; its worker has the name of its pod.

    Its reloader, which DEBUG switches on, would run all of this in a process that no signal reaches.
    """
    wanted = {
        "--queue-name": environ.get("NUAGES_TASKS_QUEUES"),
        "--backend": environ.get("NUAGES_TASKS_BACKEND"),
        "--worker-id": socket.gethostname()[:64],
    }
    line = [f"{option}={value}" for option, value in wanted.items() if value and option in known]
    return [COMMAND, *line, *(["--no-reload"] if "--no-reload" in known else [])]


def beating(worker: Any, heart: Heart, ended: Callable[[], None], lost: Callable[[], None]) -> type:
    """The command's worker with a heart; `ended` is called once it is to end, `lost` now and then."""

    class Beating(worker):  # type: ignore[misc]
        def configure_signals(self) -> None:
            super().configure_signals()
            # A task runs in the loop's own thread, for as long as it takes.
            heart.ask = lambda: bool(self.running_task)

        def run(self) -> None:
            heart.start()
            super().run()

        def shutdown(self, *args: Any) -> None:
            ended()
            super().shutdown(*args)

    module = sys.modules[worker.__module__]
    looked = -LOOK_EVERY  # a clock that began with the machine may show less than that
    close: Callable[[], None] = module.close_old_connections

    def turn() -> None:
        """At each turn of its loop."""
        nonlocal looked
        heart.turned()
        close()
        if time.monotonic() - looked > LOOK_EVERY:
            looked = time.monotonic()
            lost()

    module.close_old_connections = turn  # type: ignore[attr-defined]
    return Beating


def end_in_time(environ: Mapping[str, str]) -> Callable[[], None]:
    """Once it is to end: a second signal before the kubelet's SIGKILL, by which the task fails and says so."""
    graceful = float(environ.get("NUAGES_GRACEFUL_TIMEOUT", "0"))
    begun = threading.Event()

    def end() -> None:
        time.sleep(graceful)
        os.kill(os.getpid(), signal.SIGTERM)

    def begin() -> None:
        if graceful and not begun.is_set():
            begun.set()
            threading.Thread(target=end, daemon=True).start()

    return begin


def look(results: Any, environ: Mapping[str, str]) -> None:
    """Name the tasks that run for longer than any may, and a worker's grace: their worker is gone."""
    from django.db import Error
    from django.utils import timezone

    longest = float(environ.get("NUAGES_GRACEFUL_TIMEOUT", "0"))
    if not longest:
        return
    since = timezone.now() - timedelta(seconds=2 * longest)
    try:
        found = list(
            results.objects.running().filter(started_at__lt=since).values_list("pk", "task_path")[: AT_MOST + 1]
        )
    except Error:
        return  # no table yet, or a database that is away: the worker itself says so
    if found:
        named = ", ".join(f"{path} {key}" for key, path in found[:AT_MOST])
        more = " and more" if len(found) > AT_MOST else ""
        log.warning(
            "%s%s: RUNNING for longer than longestTask; the worker was killed, and nobody runs it again", named, more
        )


def main() -> None:
    """Become the worker; ends as the command does."""
    early.end_at_once()
    hook.start()  # once more: site.py goes on without what it fails to start
    import django
    from django.core.management import execute_from_command_line, get_commands

    django.setup()
    app = get_commands().get(COMMAND)
    if app is None:
        sys.exit(f"nuages: no app in INSTALLED_APPS has the command {COMMAND}; django_tasks_db has it")
    module: Any = import_module(f"{app}.management.commands.{COMMAND}")
    module.Worker = beating(
        module.Worker, Heart(), end_in_time(os.environ), lambda: look(module.DBTaskResult, os.environ)
    )
    known = module.Command().create_parser("manage.py", COMMAND)._option_string_actions
    execute_from_command_line(["manage.py", *arguments(os.environ, known)])


if __name__ == "__main__":
    main()
