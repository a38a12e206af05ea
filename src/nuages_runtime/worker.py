"""`python -m nuages_runtime.worker`: the project's Celery worker, with a heartbeat that needs no broker.

In: NUAGES_CELERY_APP (as `celery -A` takes it), NUAGES_CELERY_QUEUES, _POOL, _CONCURRENCY (each left out: the
project's own), NUAGES_GRACEFUL_TIMEOUT (the longest a task may take, seconds), NUAGES_SOFT_SHUTDOWN (seconds).

    SIGTERM    no new tasks, running ones end (Celery's warm shutdown)
    later      what still runs after NUAGES_GRACEFUL_TIMEOUT is cancelled and given back (soft, then cold shutdown)

A task that this worker does not know, sent by a newer release, goes back to the queue a few times before it is
rejected as Celery does at once: a rollout has both.
"""

# Celery and the project are the image's.
# ruff: noqa: PLC0415
# mypy: disable-error-code="import-untyped,import-not-found"

from __future__ import annotations

import _thread
import logging
import os
import signal
import sys
import time
from collections.abc import Mapping
from logging.config import dictConfig
from typing import Any

from nuages_runtime import early, hook, logs, taking, tasks
from nuages_runtime.heart import EVERY, Heart

# Until an old worker is gone, or a new one there.
UNKNOWN_TRIES, UNKNOWN_DELAY = 24, 5.0
# Pools that run tasks in the thread that signals reach.
OWN_THREAD = ("solo", "gevent", "eventlet")
SOFT = "worker_soft_shutdown_timeout"

log = logging.getLogger("nuages")


def application(name: str) -> Any:
    """The project's Celery application."""
    from celery.app.utils import find_app

    hook.start()  # once more: site.py goes on without what it fails to start
    return find_app(name)


def arguments(environ: Mapping[str, str]) -> list[str]:
    """What `celery` gets."""
    line = ["worker", "--loglevel=INFO"]
    for variable, option in (("QUEUES", "queues"), ("POOL", "pool"), ("CONCURRENCY", "concurrency")):
        if value := environ.get(f"NUAGES_CELERY_{variable}"):
            line.append(f"--{option}={value}")
    return line


def watch(app: Any, heart: Heart) -> None:
    """Have the worker start the heart, and its loop turn it."""
    from celery import bootsteps
    from celery.worker import state

    class Beats(bootsteps.StartStopStep):  # type: ignore[misc]
        """Of the worker: once its pool is there."""

        requires = ("celery.worker.components:Pool",)

        def start(self, parent: Any) -> None:
            # A pool that runs tasks in the loop's own thread stops it for as long as they take.
            if parent.pool_cls.__module__.endswith(".solo"):
                heart.ask = lambda: bool(state.active_requests)
            heart.start()

        def stop(self, parent: Any) -> None:
            heart.excuse("stopping")

    class Turns(bootsteps.StartStopStep):  # type: ignore[misc]
        """Of its consumer: started with each connection, stopped when it is lost."""

        requires = ("celery.worker.consumer.tasks:Tasks",)
        timer: Any = None

        def start(self, parent: Any) -> None:
            heart.turned()
            # With a hub, timers run in the loop; without one they have a thread, and the loop does what was left to it.
            turn, given = (heart.turned, ()) if parent.hub else (parent.call_soon, (heart.turned,))
            self.timer = parent.timer.call_repeatedly(EVERY, turn, given)

        def stop(self, parent: Any) -> None:
            heart.excuse("reconnecting")
            if self.timer is not None:
                self.timer.cancel()
                self.timer = None

        terminate = shutdown = stop

    app.steps["worker"].add(Beats)
    app.steps["consumer"].add(Turns)


def end_in_time(app: Any, environ: Mapping[str, str]) -> None:
    """After SIGTERM, a second and harder end before the kubelet's SIGKILL: so tasks are given back at once.

    Not where tasks run in the worker's own thread: there this end reaches the task itself, which fails and is done
    with. After a SIGKILL the broker gives it to another worker.
    """
    from celery.signals import worker_shutting_down

    if (environ.get("NUAGES_CELERY_POOL") or app.conf.worker_pool) in OWN_THREAD:
        return
    if SOFT in app.conf and not app.conf.get(SOFT):
        app.conf[SOFT] = float(environ.get("NUAGES_SOFT_SHUTDOWN", "10"))
    graceful = float(environ.get("NUAGES_GRACEFUL_TIMEOUT", "0"))
    begun = False

    def end() -> None:
        time.sleep(graceful)
        os.kill(os.getpid(), signal.SIGQUIT)

    def begin(**_: object) -> None:
        nonlocal begun
        if graceful and not begun:
            begun = True
            # No Thread: its start waits a moment, which gevent forbids in a signal's handler.
            _thread.start_new_thread(end, ())

    worker_shutting_down.connect(begin, weak=False)


def keep_unknown(app: Any) -> None:
    """Use a consumer that gives unknown tasks back for a while; a project's own class stays."""
    from celery.worker.consumer import Consumer

    class Patient(Consumer):  # type: ignore[misc]
        tries: dict[str, int]

        def on_unknown_task(self, body: Any, message: Any, exc: Any) -> None:
            self.tries = getattr(self, "tries", {})
            if len(self.tries) > 10_000:  # most of them were taken by others since
                self.tries.clear()
            task = str(message.headers.get("id", ""))
            count = self.tries[task] = self.tries.get(task, 0) + 1
            if not task or count > UNKNOWN_TRIES:
                self.tries.pop(task, None)
                super().on_unknown_task(body, message, exc)
                return
            if count == 1:
                log.warning("task %s is not known here, and goes back to the queue", message.headers.get("task"))
            given = (message.reject_log_error, log, self.connection_errors, True)
            self.timer.call_after(UNKNOWN_DELAY, self.call_soon, given)

    if app.conf.worker_consumer == "celery.worker.consumer:Consumer":
        app.conf.worker_consumer = Patient


def log_as_json() -> None:
    """Take Celery's place in configuring logs, unless the project does; what Django configured stays."""
    from celery.signals import setup_logging

    def configure(**_: object) -> None:
        if not logging.getLogger().handlers:
            dictConfig(logs.config("json"))

    if logs.kind() != "text" and not setup_logging.receivers:
        setup_logging.connect(configure, weak=False)


def patch(environ: Mapping[str, str]) -> None:
    """As the command `celery` begins: a pool of greenlets replaces the blocking calls of all that is imported later."""
    from celery import maybe_patch_concurrency

    maybe_patch_concurrency(["celery", *arguments(environ)])


def own_broker(app: Any, environ: Mapping[str, str]) -> None:
    """A set beside the serving release has a broker of its own, which CELERY_BROKER_URL names; Celery takes that before
    all that is configured but broker_read_url and broker_write_url. A project that sets these would share the broker,
    and tasks of either release would be given to workers of the other. So this worker ends instead.
    """
    if not environ.get("NUAGES_TRACK") or not (told := environ.get("CELERY_BROKER_URL")):
        return
    from kombu import Connection

    given = _place(Connection(told))
    if any(_place(used) != given for used in (app.connection_for_read(), app.connection_for_write())):
        sys.exit(
            "nuages: the project does not take its broker from CELERY_BROKER_URL, so a set can have none of its own"
        )


def _place(connection: Any) -> tuple[str, str]:
    return connection.hostname, str(connection.virtual_host).strip("/")


def main() -> None:
    """Become the worker; ends as Celery does."""
    early.end_at_once()
    patch(os.environ)
    app = application(os.environ["NUAGES_CELERY_APP"])
    own_broker(app, os.environ)
    watch(app, Heart())
    end_in_time(app, os.environ)
    keep_unknown(app)
    taking.take_at_once(os.environ)
    log_as_json()
    tasks.take_ids()
    app.worker_main(arguments(os.environ))


if __name__ == "__main__":
    main()
