"""`python -m nuages_runtime.migrate`: bring the databases to what this image expects, once, and say how it went in the
last line.

    per database that is migrated: wait for it  ─▶  take its lock  ─▶  manage.py migrate --noinput  ─▶  cache tables

In: NUAGES_DATABASE_WAIT (60 s) for the server to answer, NUAGES_LOCK_WAIT (600 s) for another release's migrations to
end, NUAGES_LOCK_TIMEOUT ("2000ms"; unlimited) for a statement to get a table's lock, while requests queue behind it.

Exit codes: 0 applied, 1 the project or a migration failed (the traceback is above), 3 no database in time, 4 no lock in
time.
"""

# Django is the image's, and is imported when there are settings to import it with.
# ruff: noqa: PLC0415
# mypy: disable-error-code=import-not-found

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from nuages_runtime import hook
from nuages_runtime.startup import first_line, migrated

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

APPLIED, FAILED, NO_DATABASE, NO_LOCK = 0, 1, 3, 4
# "nuages" in ASCII. Advisory locks are per database, so one constant is enough.
LOCK = 0x6E7561676573
POLL = 0.5


class Stopped(Exception):
    """The end of it, with the line to say and the code to exit with."""

    def __init__(self, code: int, line: str) -> None:
        """Keep both."""
        super().__init__(line)
        self.code = code


def wait_for_database(
    connection: BaseDatabaseWrapper, seconds: float, clock: Callable[[], float] = time.monotonic
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
def only_one(connection: BaseDatabaseWrapper, seconds: float) -> Iterator[None]:
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
        yield
    finally:
        own.close()


def _try_lock(connection: BaseDatabaseWrapper) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        return bool(cursor.fetchone()[0])


class Journal:
    """Django's own progress, passed on as it comes; remembers the migration and the statement under way, for the last
    line.
    """

    def __init__(self, out: TextIO) -> None:
        """Pass on to `out`."""
        self._out = out
        self.migration = ""
        self.statement = ""
        self._open = False

    def write(self, text: str) -> int:
        """Pass on and flush: Django writes "Applying x..." before the work and "OK" after it."""
        if text.strip().startswith("Applying "):
            self.migration = text.strip().removeprefix("Applying ").rstrip(".")
        elif text.strip() == "OK":
            self.migration = ""
        written = self._out.write(text)
        self._out.flush()
        self._open = not text.endswith("\n")
        return written

    def end_line(self) -> None:
        """End a line that Django left open ("Applying x..."), so that what follows is one of its own."""
        if self._open:
            self.write("\n")

    def flush(self) -> None:
        """Nothing is kept."""

    def watch(
        self, execute: Callable[..., Any], sql: str, params: object, many: bool, context: dict[str, Any]
    ) -> object:
        """Django's execute_wrapper: note the statement that fails. Never its parameters: they are data."""
        try:
            return execute(sql, params, many, context)
        except Exception:
            self.statement = " ".join(str(sql).split())[:300]
            raise


def migrate(alias: str, journal: Journal) -> None:
    """Run the project's own migrate command, so that signals, permissions and a command it overrides all happen."""
    from django.core.management import call_command
    from django.db import connections

    with connections[alias].execute_wrapper(journal.watch):
        call_command("migrate", database=alias, interactive=False, stdout=journal)


def limit_table_locks(value: str) -> None:
    """Give every PostgreSQL connection of this process a lock_timeout ("2000ms"); "" leaves the server's."""
    from django.db.backends.signals import connection_created

    def limit(connection: BaseDatabaseWrapper, **_: object) -> None:
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('lock_timeout', %s, false)", [value])

    if value:
        connection_created.connect(limit, weak=False)


def cache_tables(alias: str, journal: Journal) -> None:
    """Make the tables of caches that live in a database (DatabaseCache), where they are not there yet."""
    from django.conf import settings
    from django.core.management import call_command

    if any(str(cache.get("BACKEND", "")).endswith(".DatabaseCache") for cache in settings.CACHES.values()):
        call_command("createcachetable", database=alias, stdout=journal)


def run() -> None:
    """All of it; raises Stopped, or whatever the project raised, after a last line that says so."""
    import django

    # libpq waits two minutes for a server that is silent; the loop below is patient enough.
    os.environ.setdefault("PGCONNECT_TIMEOUT", "5")
    hook.start()  # once more: site.py goes on without what it fails to start
    django.setup()
    limit_table_locks(os.environ.get("NUAGES_LOCK_TIMEOUT", ""))
    for alias in migrated():
        bring(alias)


def bring(alias: str) -> None:
    """Bring one database to what this image expects; raises Stopped."""
    from django.db import DEFAULT_DB_ALIAS, connections

    connection = connections[alias]
    wait_for_database(connection, float(os.environ.get("NUAGES_DATABASE_WAIT", "60")))
    journal = Journal(sys.stdout)
    with only_one(connection, float(os.environ.get("NUAGES_LOCK_WAIT", "600"))):
        try:
            migrate(alias, journal)
            cache_tables(alias, journal)
        except Exception as error:
            journal.end_line()
            traceback.print_exc()
            where = f" in {journal.migration}" if journal.migration else ""
            which = "" if alias == DEFAULT_DB_ALIAS else f"{alias}: "
            what = f"; the statement was: {journal.statement}" if journal.statement else ""
            raise Stopped(
                FAILED, f"migration failed{where}: {which}{type(error).__name__}: {first_line(error)}{what}"
            ) from error


def say(line: str) -> None:
    """One line for whoever reads the Job's log, in order with Django's own."""
    print(f"nuages: {line}", flush=True)  # noqa: T201 - the Job's log is the interface


def main() -> int:
    """Run, and turn the end into a last line and an exit code."""
    try:
        run()
    except Stopped as stopped:
        sys.stderr.flush()
        say(str(stopped))
        return stopped.code
    except Exception as error:
        traceback.print_exc()
        sys.stderr.flush()
        say(f"the project could not be loaded: {type(error).__name__}: {first_line(error)}")
        return FAILED
    say("migrations are applied")
    return APPLIED


if __name__ == "__main__":
    sys.exit(main())
