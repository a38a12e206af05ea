"""The id of a request goes with the tasks that it sends, into their logs."""

# mypy: disable-error-code="import-untyped,import-not-found"

from __future__ import annotations

import sys
from typing import Any

from nuages_runtime.logs import request_id

HEADER = "nuages_request_id"


def send_ids() -> None:
    """In a process that sends tasks; nothing where Celery was not imported."""
    if "celery" in sys.modules:
        from celery.signals import before_task_publish  # noqa: PLC0415 - the image's

        before_task_publish.connect(_send, weak=False)


def take_ids() -> None:
    """In a worker, whose tasks may send others."""
    from celery.signals import task_postrun, task_prerun  # noqa: PLC0415 - the image's

    send_ids()
    task_prerun.connect(_take, weak=False)
    task_postrun.connect(_drop, weak=False)


def _send(headers: dict[str, Any] | None = None, **_: object) -> None:
    if headers is not None and (current := request_id.get()):
        headers.setdefault(HEADER, current)


def _take(task: Any = None, **_: object) -> None:
    request_id.set(getattr(task.request, HEADER, None) or "")


def _drop(**_: object) -> None:
    request_id.set("")
