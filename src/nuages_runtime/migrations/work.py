"""The stages of a migrate Job, on one database each."""

# Django is the image's, and is imported when there are settings to import it with.
# ruff: noqa: PLC0415
# mypy: disable-error-code=import-not-found

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from nuages_runtime.migrations import contract, pending, schema
from nuages_runtime.migrations.connect import REFUSED, Stopped
from nuages_runtime.migrations.contract import Code
from nuages_runtime.migrations.journal import LATER, TABLE, Journal
from nuages_runtime.migrations.running import own, running
from nuages_runtime.migrations.stages import Stage
from nuages_runtime.migrations.waits import state

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

    from nuages_runtime.migrate import Progress

CURES = {
    "55P03": "end the transaction that holds the table, or give migrations.lockTimeout more time, then deploy again",
    "40P01": "deploy again: two transactions waited for each other",
    "42P07": "the database is ahead of django_migrations; where it is right, `nuages manage migrate APP NAME --fake`",
    "42701": "the database is ahead of django_migrations; where it is right, `nuages manage migrate APP NAME --fake`",
    "23505": "rows that are there are not unique: mend them, then deploy again",
    "23503": "rows refer to rows that are not there: mend them, then deploy again",
    "23514": "rows that are there violate it: mend them, then deploy again",
    "23502": "rows have no value there: fill them, then deploy again",
    "42501": "the database's user may not do this: give it the right, then deploy again",
    "53100": "the database's disk is full: give it room, then deploy again",
}
MEND = "mend the migration and deploy again: it goes on where it stopped"


def cure(error: BaseException) -> str:
    """What to do about it."""
    return CURES.get(state(error), MEND)


def refuse(connections: list[BaseDatabaseWrapper], log: Progress) -> None:
    """Refuse what no order makes safe, in any of the databases, before anything is touched.

    Raises:
        Stopped: with the findings told.
    """
    findings = pending.refused()
    for connection in connections if not findings else []:
        stage = _stage(connection, log)
        if stage.running is None:
            continue
        for migration, leaf, judged in stage.judge():
            if found := pending.unsurvived(connection, migration, leaf.operation, judged):
                findings.append(found)
    if findings:
        log.tell("refused", findings=findings)
        for finding in findings:
            what = ": ".join(filter(None, [finding["place"], finding["message"]]))
            log.say(f"{what} ({finding['id']}); {finding['hint']}")
        about_code = findings[0]["id"] in (pending.UNSURVIVED, pending.UNSURVIVED_UNSTAGED)
        why = "code runs that would not survive it" if about_code else "the project is not fit for it"
        raise Stopped(REFUSED, f"refused: {why}; nothing was touched")


def expand(connection: BaseDatabaseWrapper, options: Namespace, log: Progress) -> None:
    """Everything that is pending, in the graph's order."""
    stage = _stage(connection, log)
    with _patched(stage, log):
        if connection.vendor == "postgresql":
            _tidied(stage)
            stage.soon()
            _journal(stage, log)
            now = running(connection)
            codes = [own(connection), *([now] if now else [])]
            if now is None or os.environ.get("NUAGES_CONTRACT") != "manual":
                contract.contract(stage, codes, now.known if now else None)
        _migrate(connection, log)
    _cache_tables(connection, log)
    _deferred(stage, log)


def settle(connection: BaseDatabaseWrapper, options: Namespace, log: Progress) -> None:
    """The backfills."""
    stage = _stage(connection, log)
    with _patched(stage, log):
        stage.soon()
        contract.settle(stage)
    _deferred(stage, log)


def contracted(connection: BaseDatabaseWrapper, options: Namespace, log: Progress) -> None:
    """What this image, which is the one that runs, needs no more."""
    stage = _stage(connection, log)
    with _patched(stage, log):
        stage.soon()
        code = own(connection)
        contract.contract(stage, [code], code.known)
    _deferred(stage, log)


def undo(connection: BaseDatabaseWrapper, options: Namespace, log: Progress) -> None:
    """Backwards: exactly the named migrations, or to targets as `migrate APP NAME` goes."""
    from django.core.management import call_command
    from django.db.migrations.executor import MigrationExecutor

    stage = _stage(connection, log)
    with _patched(stage, log):
        stage.soon()
        if options.name:
            executor = MigrationExecutor(connection, progress_callback=_told(log))
            full = executor.migration_plan(executor.loader.graph.leaf_nodes(), clean_start=True)
            applied = executor.loader.applied_migrations
            plan = [
                (migration, True)
                for migration, _ in reversed(full)
                if f"{migration.app_label}.{migration.name}" in options.name
                and (migration.app_label, migration.name) in applied
            ]
            if plan:
                executor.migrate(targets=None, plan=plan)
        for target in options.to:
            app, _, name = target.partition(".")
            call_command("migrate", app, name, database=connection.alias, interactive=False, stdout=log)


STAGES: dict[str, Callable[..., None]] = {
    "expand": expand,
    "settle": settle,
    "contract": contracted,
    "undo": undo,
}


def _deferred(stage: Stage, log: Progress) -> None:
    """What is left, for the phases that come after and for who reads the plan."""
    backfills, later = stage.journal.pending("backfill"), stage.journal.pending(*LATER)
    texts = dict.fromkeys(f"{entry.name}: {entry.text}" for entry in (*backfills, *later))
    log.tell("deferred", backfills=len(backfills), entries=len(backfills) + len(later), texts=list(texts))


def facts(connections: list[BaseDatabaseWrapper]) -> dict[str, Any]:
    """What the record keeps of each database."""
    return {connection.alias: schema.facts(connection, list(pending.declared())) for connection in connections}


def _stage(connection: BaseDatabaseWrapper, log: Progress) -> Stage:
    now: Code | None = running(connection)
    return Stage(
        connection,
        log,
        release=int(os.environ.get("NUAGES_NUMBER") or 0),
        running=now.wanted if now else None,
        classes=pending.declared(),
        patience=float(os.environ.get("NUAGES_LOCK_PATIENCE") or 300),
        waiting=_waiting(connection, now),
    )


def _waiting(connection: BaseDatabaseWrapper, now: Code | None) -> set[tuple[str, str]]:
    """What earlier releases took away and is still there when this one's migrations begin."""
    journal = Journal(connection)
    entries = journal.pending(*LATER)
    if not entries or now is None:
        return set()
    codes, backfills = [own(connection), now], journal.pending("backfill")
    return contract.held([entry for entry in entries if contract.kept_back(entry, codes, now.known, backfills)])


@contextmanager
def _patched(stage: Stage, log: Progress) -> Iterator[None]:
    """The stage between migrate and the database; what is under way is told where it fails."""
    from django.db import DatabaseError

    with stage.patched():
        try:
            yield
        except Exception as error:
            log.migration = stage.migration or log.migration
            # Code that fails by itself fails in no statement.
            last = log.statement or stage.steps.statement or stage.statement
            log.statement = last if isinstance(error, DatabaseError) else ""
            raise


def _migrate(connection: BaseDatabaseWrapper, log: Progress) -> None:
    """The project's own command, so that signals, permissions and what it overrides all happen."""
    from django.core.management import call_command

    call_command("migrate", database=connection.alias, interactive=False, stdout=log)


def _journal(stage: Stage, log: Progress) -> None:
    """Make the table before the first migration. Whose user may make none has nothing to migrate, or is told then."""
    from django.db import ProgrammingError

    try:
        stage.journal.ensure()
    except ProgrammingError as error:
        if state(error) != "42501":
            raise
        log.statement = ""
        log.tell("note", message=f"no table {TABLE} can be made: {str(error).splitlines()[0]}")


def _tidied(stage: Stage) -> None:
    """Forget what a migration's operations are remembered for, where the migration is recorded."""
    applied = set(schema.applied(stage.connection))
    for entry in stage.journal.pending("operation"):
        if entry.name in applied:
            stage.journal.forget(entry)


def _told(log: Progress) -> Callable[..., None]:
    def progress(action: str, migration: Any = None, fake: bool = False) -> None:
        if action == "unapply_start":
            log.write(f"  Unapplying {migration}...")
        elif action == "unapply_success":
            log.write(" OK\n")

    return progress


def _cache_tables(connection: BaseDatabaseWrapper, log: Progress) -> None:
    """Make the tables of caches that live in a database (DatabaseCache), where they are not there yet."""
    from django.conf import settings
    from django.core.management import call_command

    if any(str(cache.get("BACKEND", "")).endswith(".DatabaseCache") for cache in settings.CACHES.values()):
        call_command("createcachetable", database=connection.alias, stdout=log)
