"""Whether a database has what this image's code expects: each leaf of its migration graph, recorded in
django_migrations.

Not "nothing is pending": what a later release drops, or what a newer image already applied, must keep no older pod from
starting.
"""

# Django is the image's, and is imported when there are settings to import it with.
# ruff: noqa: PLC0415
# mypy: disable-error-code=import-not-found

from __future__ import annotations

import logging
import threading

log = logging.getLogger("nuages")


def missing() -> list[str]:
    """The leaves that the default database lacks, as `app.name`; the connection made for it is closed again.

    Squashed migrations count as Django counts them: applied when all that they replace are.
    """
    from django.db import DEFAULT_DB_ALIAS, connections
    from django.db.migrations.loader import MigrationLoader

    connection = connections[DEFAULT_DB_ALIAS]
    if connection.vendor == "unknown":  # no database configured: django.db.backends.dummy
        return []
    try:
        loader = MigrationLoader(connection, ignore_no_migrations=True)
    finally:
        connection.close()
    return [
        f"{app}.{name}"
        for app, name in sorted(loader.graph.leaf_nodes())
        if (app, name) not in loader.applied_migrations
    ]


class Startup:
    """Answers the start-up probe: {} once all is there, and from then on without asking again.

    One question at a time: while the database does not answer, the next probe says so instead of waiting too.
    """

    def __init__(self) -> None:
        """Know nothing yet."""
        self._complete = False
        self._asking = threading.Lock()
        self._said = ""

    def __call__(self) -> dict[str, object]:
        """What is missing, as JSON for the probe's answer."""
        if self._complete:
            return {}
        if not self._asking.acquire(blocking=False):
            return {"database": "no answer yet"}
        try:
            lacks = missing()
        except Exception as error:
            self._say(f"start-up waits for the database: {type(error).__name__}: {first_line(error)}")
            return {"database": type(error).__name__}
        finally:
            self._asking.release()
        if lacks:
            self._say(f"start-up waits for migrations: {', '.join(lacks)}")
            return {"missing": lacks}
        self._complete = True
        return {}

    def _say(self, line: str) -> None:
        """Log a line unless it is the last one again: the probe asks every few seconds."""
        if line != self._said:
            log.warning(line)
            self._said = line


def first_line(error: BaseException) -> str:
    """The first line of an error's message; drivers add hints and the statement below it."""
    return (str(error).splitlines() or [""])[0]
