"""`python -m nuages_runtime.beat`: the project's Celery beat, with its schedule kept and a heartbeat each tick.

In: NUAGES_CELERY_APP, NUAGES_BEAT_SCHEDULE (the file that keeps when each task last ran: without it, a task of every 24
hours never runs where pods live shorter). The project's own scheduler (django-celery-beat) is used where it has one.

Exactly one beats. A StatefulSet has one pod, but for a moment two where its pod was deleted by force, or its node did
not answer: the API server then forgets a pod that still runs. So beat holds a lock on its volume, which the kernel
gives back when the process is gone, however it ended; a volume of one node is on no second one at a time.
"""

# Celery and the project are the image's.
# ruff: noqa: PLC0415
# mypy: disable-error-code="import-untyped,import-not-found"

from __future__ import annotations

import fcntl
import logging
import os
from pathlib import Path
from typing import Any, TextIO

from nuages_runtime import early, tasks
from nuages_runtime.heart import PATIENCE, Heart
from nuages_runtime.worker import application, log_as_json

log = logging.getLogger("nuages")


def ticking(scheduler: Any, heart: Heart) -> type:
    """The scheduler's class with a heart that turns at each tick, and is excused while it looks for its broker."""

    class Ticking(scheduler):  # type: ignore[misc]
        sync_every_tasks: int

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            # Every three minutes is Celery's default: what was sent since is sent again where beat is killed.
            if not self.sync_every_tasks:
                self.sync_every_tasks = 1

        def tick(self, *args: Any, **kwargs: Any) -> Any:
            interval = super().tick(*args, **kwargs)
            heart.turned()
            return min(interval, PATIENCE / 2) if interval else interval

        def _ensure_connected(self) -> Any:
            heart.excuse("reconnecting")
            connection = super()._ensure_connected()
            heart.turned()
            return connection

    Ticking.__name__ = Ticking.__qualname__ = scheduler.__name__
    return Ticking


def alone(schedule: str, heart: Heart) -> TextIO:
    """Wait until no other beat of this volume lives; the lock lasts as long as the file that is answered is open.

    The pod is alive and not ready meanwhile.
    """
    held = Path(schedule).with_name("beat.lock").open("w")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        log.warning("another beat still runs; waiting until it has ended")
        heart.excuse("waiting")
        fcntl.flock(held, fcntl.LOCK_EX)
    return held


def main() -> None:
    """Become beat; ends as Celery does."""
    early.end_at_once()
    from kombu.utils.imports import symbol_by_name

    app = application(os.environ["NUAGES_CELERY_APP"])
    heart = Heart()
    log_as_json()
    tasks.take_ids()
    app.loader.init_worker()  # as Beat.run does first, too: Django is set up, which a scheduler with models needs
    # django-celery-beat's is a name like any other; "django" and such are entry points, which Celery looks up.
    from celery.utils.imports import load_extension_class_names

    aliases = dict(load_extension_class_names("celery.beat_schedulers"))
    scheduler = symbol_by_name(app.conf.beat_scheduler, aliases=aliases)
    heart.start()
    schedule = os.environ.get("NUAGES_BEAT_SCHEDULE")
    lock = alone(schedule, heart) if schedule else None
    app.Beat(
        scheduler=ticking(scheduler, heart),
        schedule=schedule or None,
        loglevel="INFO",
        quiet=True,
    ).run()
    if lock:
        lock.close()


if __name__ == "__main__":
    main()
