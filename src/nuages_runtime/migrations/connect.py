"""The connection that migrations run on: waited for, the only one that migrates, and rid of what a killed one left.

Direct, past any pooler: a session's lock and its settings are lost behind one that changes the session between two
transactions.
"""

# Django is the image's, and is imported when there are settings to import it with.
# ruff: noqa: PLC0415
# mypy: disable-error-code=import-not-found

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from nuages_runtime.overlay.database import parse
from nuages_runtime.startup import first_line

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

APPLIED, FAILED, NO_DATABASE, NO_LOCK, REFUSED = 0, 1, 3, 4, 5
"""Exit codes of a migrate Job."""
# "nuages" in ASCII. Advisory locks are per database, so one constant is enough.
LOCK = 0x6E7561676573
POLL = 0.5
NAME = "nuages-migrate"
"""application_name of a session that migrates begins so; each process has its own: two aliases may be one database."""
OWN = f"{NAME} {os.urandom(4).hex()}"


DIRECT = "DIRECT_DATABASE_URL"
"""The variable by which a project whose DATABASE_URL leads to a pooler tells where the server itself is."""


class Stopped(Exception):
    """The end of it, with the line to say and the code to exit with."""

    def __init__(self, code: int, line: str) -> None:
        """Keep both."""
        super().__init__(line)
        self.code = code


def direct(connection: BaseDatabaseWrapper) -> None:
    """Lead the default connection past a pooler, where the environment says how; called before it is opened."""
    if url := os.environ.get(DIRECT):
        wanted = parse(url)
        connection.settings_dict.update(
            {key: wanted.get(key, "") for key in ("HOST", "PORT", "NAME", "USER", "PASSWORD")}
        )
        connection.settings_dict["OPTIONS"].pop("pool", None)


def pooled(connection: BaseDatabaseWrapper) -> bool:
    """Whether something stands between that hands on no settings of a session: it changes the session meanwhile.

    A setting of our own is given as the connection begins; PgBouncer refuses it, or lets it be.
    """
    from django.db import OperationalError

    probe = connection.copy()
    options = probe.settings_dict["OPTIONS"]
    options.pop("pool", None)
    options["options"] = f"{options.get('options', '')} -c nuages.direct=yes".strip()
    try:
        with probe.cursor() as cursor:
            cursor.execute("SELECT current_setting('nuages.direct', true)")
            return bool(cursor.fetchone()[0] != "yes")
    except OperationalError:
        return True
    finally:
        probe.close()


def wait_for(
    connection: BaseDatabaseWrapper,
    seconds: float,
    say: Callable[[str], None],
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Connect, trying again while the server does not answer. A wrong password does not get better by waiting."""
    from django.db import OperationalError

    deadline = clock() + seconds
    said = ""
    while True:
        try:
            connection.ensure_connection()
        except OperationalError as error:
            reason = first_line(error)
            if "authentication failed" in reason:
                raise Stopped(NO_DATABASE, f"the database refuses the user or the password: {reason}") from None
            if clock() >= deadline:
                raise Stopped(NO_DATABASE, f"no connection to the database within {seconds:.0f} s: {reason}") from None
            if reason != said:
                say(f"waiting for the database: {reason}")
                said = reason
            time.sleep(POLL)
        else:
            return


@contextmanager
def only_one(connection: BaseDatabaseWrapper, seconds: float, say: Callable[[str], None]) -> Iterator[None]:
    """Hold PostgreSQL's advisory lock on a connection of its own; on other databases nothing is held.

    Polled, not awaited: a waiting pg_advisory_lock holds a snapshot that CREATE INDEX CONCURRENTLY of the holder would
    wait for. A connection of its own and in autocommit: it survives the migrations' rollbacks, and ends with this
    process, however it ends.
    """
    if connection.vendor != "postgresql":
        yield
        return
    own = connection.copy()
    own.settings_dict["OPTIONS"].pop("pool", None)  # a pool of one would wait for itself
    deadline = time.monotonic() + seconds
    said = False
    try:
        while not _try_lock(own):
            if time.monotonic() >= deadline:
                raise Stopped(NO_LOCK, f"another release is still migrating this database after {seconds:.0f} s")
            if not said:
                say("waiting: another release is migrating this database")
                said = True
            time.sleep(POLL)
        _alone(connection, say)
        try:
            yield
        finally:
            _nameless(connection)
    finally:
        own.close()


def _nameless(connection: BaseDatabaseWrapper) -> None:
    """Give the session's name back before the lock: what this process asks afterwards is nothing that was left by one
    that was killed, and whoever has the lock next must not end it.
    """
    from django.db import Error

    # Where the connection is broken, no session of this name is left.
    with suppress(Error), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('application_name', '', false)")


def _try_lock(connection: BaseDatabaseWrapper) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        return bool(cursor.fetchone()[0])


def _alone(connection: BaseDatabaseWrapper, say: Callable[[str], None]) -> None:
    """End what a killed migration still does: a server goes on with a statement until it has an answer to send.

    Who has the lock may: whoever else has this name lost it, by dying or by losing the connection that held it.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE starts_with(application_name, %s) AND application_name <> %s AND datname = current_database()"
            " AND pid <> pg_backend_pid() AND usename = current_user",
            [NAME, OWN],
        )
        left = [row[0] for row in cursor.fetchall()]
        deadline = time.monotonic() + 30
        while left and time.monotonic() < deadline:
            cursor.execute("SELECT pid FROM pg_stat_activity WHERE pid = ANY(%s)", [left])
            if not (left := [row[0] for row in cursor.fetchall()]):
                say("ended what a migration that was killed had left running")
                break
            time.sleep(0.1)
        cursor.execute("SELECT set_config('application_name', %s, false)", [OWN])
        # From PostgreSQL 14 on, and where it runs on Linux, the server notices by itself too.
        cursor.execute("SELECT count(*) FROM pg_settings WHERE name = 'client_connection_check_interval'")
        if cursor.fetchone()[0]:
            cursor.execute("SELECT set_config('client_connection_check_interval', '2s', false)")


def limit_table_locks(value: str) -> None:
    """Give every PostgreSQL connection of this process a lock_timeout ("2000ms"); "" leaves the server's."""
    from django.db.backends.signals import connection_created

    def limit(connection: BaseDatabaseWrapper, **_: object) -> None:
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('lock_timeout', %s, false)", [value])

    if value:
        connection_created.connect(limit, weak=False)
