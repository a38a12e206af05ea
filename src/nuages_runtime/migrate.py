"""`python -m nuages_runtime.migrate [--stage expand|settle|contract|undo]`: bring the databases to what this image
expects, once, while an older release goes on serving, and say how it went in the last line.

    expand      per database that is migrated: wait for it ─▶ take its lock ─▶ end what was begun ─▶ what no code needs
                any more ─▶ manage.py migrate --noinput, staged ─▶ cache tables; then the facts of all
    settle      the backfills that were left for after the rollout
    contract    what was relaxed and is needed by no code, this image's included
    undo        --name blog.0005_slug (repeated), or --to blog.0004_body | blog.zero: backwards; what was held back
                is there again with its data

In: NUAGES_RUNNING, the file that tells what the running release's code needs (absent: nothing runs); NUAGES_NUMBER, the
release; NUAGES_CLASSES, JSON of declared classes; DIRECT_DATABASE_URL, where the project's own leads to a pooler;
NUAGES_DATABASE_WAIT (60 s) for the server to answer; NUAGES_LOCK_WAIT (600 s) for another release's migrations to end;
NUAGES_LOCK_TIMEOUT ("2000ms"; unlimited) for a statement to get a table's lock, while requests queue behind it;
NUAGES_LOCK_PATIENCE (300 s) for which that is tried.

Exit codes: 0 applied, 1 the project or a migration failed (the traceback is above), 3 no database in time, 4 no lock in
time, 5 refused: nothing was touched.
"""

# Django is the image's, and is imported when there are settings to import it with.
# ruff: noqa: PLC0415
# mypy: disable-error-code=import-not-found

from __future__ import annotations

import os
import sys
import traceback
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from nuages_runtime import hook
from nuages_runtime.migrations.connect import APPLIED, FAILED, Stopped, direct, limit_table_locks, only_one, wait_for
from nuages_runtime.migrations.events import Log, packed, shown
from nuages_runtime.startup import first_line, migrated

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper


class Progress(Log):
    """Django's own progress, passed on; remembers the migration and the statement under way, for the last line."""

    def write(self, text: str) -> int:
        """Pass on, and see what is applied."""
        if text.strip().startswith(("Applying ", "Unapplying ")):
            self.migration = text.strip().split(" ", 1)[1].rstrip(".")
        elif text.strip() == "OK":
            self.migration = ""
        return super().write(text)

    def watch(
        self, execute: Callable[..., Any], sql: str, params: object, many: bool, context: dict[str, Any]
    ) -> object:
        """Django's execute_wrapper: note the statement that fails. Never its parameters: they are data."""
        try:
            return execute(sql, params, many, context)
        except Exception:
            self.statement = shown(sql)
            raise


def run(options: Namespace, log: Progress) -> None:
    """All of it; raises Stopped, or whatever the project raised, after a last line that says so."""
    import django

    # libpq waits two minutes for a server that is silent; waiting is done here, patiently enough.
    os.environ.setdefault("PGCONNECT_TIMEOUT", "5")
    hook.start()  # once more: site.py goes on without what it fails to start
    django.setup()
    limit_table_locks(os.environ.get("NUAGES_LOCK_TIMEOUT", ""))
    from django.db import DEFAULT_DB_ALIAS, connections

    direct(connections[DEFAULT_DB_ALIAS])
    found = [connections[alias] for alias in migrated()]
    for connection in found:
        wait_for(connection, float(os.environ.get("NUAGES_DATABASE_WAIT", "60")), log.say)
    from nuages_runtime.migrations import work

    if options.stage == "expand":
        work.refuse(found, log)
    for connection in found:
        patience = float(os.environ.get("NUAGES_LOCK_WAIT", "600"))
        with only_one(connection, patience, log.say), _said(connection, log):
            work.STAGES[options.stage](connection, options, log)
    if options.stage == "expand":
        log.tell("facts", **packed(work.facts(found)))


@contextmanager
def _said(connection: BaseDatabaseWrapper, log: Progress) -> Iterator[None]:
    """Say what fails in the body in one line, with the migration and the statement."""
    from django.db import DEFAULT_DB_ALIAS

    from nuages_runtime.migrations import work

    try:
        with connection.execute_wrapper(log.watch):
            yield
    except Stopped:
        raise
    except Exception as error:
        log.end_line()
        traceback.print_exc()
        sys.stderr.flush()
        where = f" in {log.migration}" if log.migration else ""
        which = "" if connection.alias == DEFAULT_DB_ALIAS else f"{connection.alias}: "
        what = f"; the statement was: {log.statement}" if log.statement else ""
        line = f"{which}{type(error).__name__}: {first_line(error)}"
        hint = work.cure(error)
        log.tell("failed", migration=log.migration, statement=log.statement, error=line, hint=hint)
        raise Stopped(FAILED, f"migration failed{where}: {line}{what}") from error


def main() -> int:
    """Run, and turn the end into a last line and an exit code."""
    parser = ArgumentParser(prog="nuages_runtime.migrate")
    parser.add_argument("--stage", choices=["expand", "settle", "contract", "undo"], default="expand")
    parser.add_argument("--to", action="append", default=[], metavar="APP.MIGRATION")
    parser.add_argument("--name", action="append", default=[], metavar="APP.MIGRATION")
    options = parser.parse_args()
    log = Progress()
    try:
        run(options, log)
    except Stopped as stopped:
        sys.stderr.flush()
        log.say(str(stopped))
        return stopped.code
    except Exception as error:
        log.end_line()
        traceback.print_exc()
        sys.stderr.flush()
        log.say(f"the project could not be loaded: {type(error).__name__}: {first_line(error)}")
        return FAILED
    log.say(_ENDS[options.stage])
    return APPLIED


_ENDS = {
    "expand": "migrations are applied",
    "settle": "what was left for after the rollout is done",
    "contract": "what no code needs any more is gone",
    "undo": "migrations are undone",
}


if __name__ == "__main__":
    sys.exit(main())
