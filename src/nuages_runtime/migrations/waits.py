"""Locks that are not got: who holds them, and how often and how long it is tried again.

lock_timeout ends a wait before the queue behind it grows; the whole transaction is rolled back and tried again, each
time after a longer pause. https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-LOCK-TIMEOUT
"""

# Django is the image's, and is imported when there are settings to import it with.
# ruff: noqa: PLC0415
# mypy: disable-error-code=import-not-found

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from nuages_runtime.migrations.forms import quoted

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

LOCK_NOT_AVAILABLE, DEADLOCK = "55P03", "40P01"
FIRST, LONGEST = 0.5, 15.0
"""Seconds between two attempts."""
Result = TypeVar("Result")

_HOLDERS = """
    SELECT a.pid, a.application_name, a.state, extract(epoch FROM now() - a.xact_start)
    FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
    WHERE l.relation = to_regclass(%s) AND l.granted AND a.pid <> pg_backend_pid()
    ORDER BY a.xact_start NULLS LAST LIMIT 1
"""


def state(error: BaseException | None) -> str:
    """PostgreSQL's SQLSTATE of an error of Django's, whichever driver it has; "" where there is none."""
    cause = getattr(error, "__cause__", None)
    return str(getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None) or "")


def again(
    attempt: Callable[[], Result],
    patience: float,
    told: Callable[[float], None],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Result:
    """Attempt until no lock is missing; after `patience` seconds the last error is raised.

    `told` is called before each pause with its length in seconds.
    """
    from django.db import OperationalError

    end, pause = clock() + patience, FIRST
    while True:
        try:
            return attempt()
        except OperationalError as error:
            if state(error) not in {LOCK_NOT_AVAILABLE, DEADLOCK} or clock() + pause > end:
                raise
        # Not in step with whoever else comes back regularly.
        length = pause * random.uniform(0.75, 1.25)  # noqa: S311
        told(length)
        sleep(length)
        pause = min(pause * 2, LONGEST)


def holder(connection: BaseDatabaseWrapper, table: str) -> str:
    """Who has held a lock of a table longest, in words; "" where nobody is seen."""
    if not table:
        return ""
    with connection.cursor() as cursor:
        cursor.execute(_HOLDERS, [quoted(table)])
        row = cursor.fetchone()
    if row is None:
        return ""
    pid, application, doing, age = row
    what = ", ".join(filter(None, [application, doing, f"for {age:.0f} s" if age is not None else ""]))
    return f"{table} is held by process {pid} ({what})"


@contextmanager
def unlimited(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """No timeout of locks or statements for what keeps nobody waiting; as before afterwards."""
    names = ("lock_timeout", "statement_timeout")
    with connection.cursor() as cursor:
        before = []
        for name in names:
            cursor.execute("SELECT current_setting(%s)", [name])
            before.append(cursor.fetchone()[0])
            cursor.execute("SELECT set_config(%s, '0', false)", [name])
    try:
        yield
    finally:
        if connection.connection is not None and not connection.needs_rollback:
            with connection.cursor() as cursor:
                for name, value in zip(names, before, strict=True):
                    cursor.execute("SELECT set_config(%s, %s, false)", [name, value])
