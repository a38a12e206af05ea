"""Whether the databases have what this image's code expects: each leaf of its migration graph, recorded in
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


def migrated() -> list[str]:
    """The aliases of DATABASES that a release migrates: the default one, and those that a router sends an app to which
    the default does not take. Not simply all: an alias may be a replica, or another system's database.
    """
    from django.apps import apps
    from django.db import DEFAULT_DB_ALIAS, connections, router

    labels = [config.label for config in apps.get_app_configs()]
    elsewhere = [label for label in labels if not router.allow_migrate(DEFAULT_DB_ALIAS, label)]
    return [
        alias
        for alias in connections
        if connections[alias].vendor != "unknown"  # none configured: django.db.backends.dummy
        and (alias == DEFAULT_DB_ALIAS or any(router.allow_migrate(alias, label) for label in elsewhere))
    ]


def missing() -> list[str]:
    """The leaves that a migrated database lacks, as `app.name`, with ` in alias` where that is not the default; the
    connection made for it is closed again.

    Squashed migrations count as Django counts them: applied when all that they replace are.
    """
    from django.db import DEFAULT_DB_ALIAS, connections
    from django.db.migrations.loader import MigrationLoader

    lacks = []
    for alias in migrated():
        try:
            loader = MigrationLoader(connections[alias], ignore_no_migrations=True)
        finally:
            connections[alias].close()
        where = "" if alias == DEFAULT_DB_ALIAS else f" in {alias}"
        leaves = sorted(loader.graph.leaf_nodes())
        lacks += [f"{app}.{name}{where}" for app, name in leaves if (app, name) not in loader.applied_migrations]
    return lacks


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
