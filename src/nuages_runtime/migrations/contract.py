"""What is left of migrations is done once nobody needs it any more: backfills when the rollout is over, removals when
neither the code that runs nor the code to come knows what they remove.

Nothing here ends a release: what the database refuses (a row that violates a constraint to come, a lock that is not to
be had) is told, stays in the journal, and is tried again by the next release.
"""

# Django is the image's, and is imported when there are settings to import it with.
# ruff: noqa: PLC0415
# mypy: disable-error-code=import-not-found

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from nuages_runtime.migrations import aside
from nuages_runtime.migrations.forms import DROP
from nuages_runtime.migrations.journal import LATER, Entry
from nuages_runtime.migrations.judged import Wanted
from nuages_runtime.migrations.steps import UnknownMigration
from nuages_runtime.migrations.waits import state

if TYPE_CHECKING:
    from nuages_runtime.migrations.stages import Stage

GONE = ("42P01", "42703", "42704")
"""SQLSTATEs of a table, a column or a constraint that is not there."""

Known = Mapping[str, Mapping[str, Collection[str]]]
"""Per app the migrations that code knows, each with those it replaces, as schema.py tells them."""


class Code(NamedTuple):
    """One version of the code that has a say."""

    wanted: Wanted
    known: Known


def kept_back(entry: Entry, codes: Collection[Code], knows: Known | None, backfills: Collection[Entry]) -> str:
    """Why an entry has to wait, in a few words; "" where it may be done. Pure.

    Args:
        entry: of the kinds contract and tidy.
        codes: of the release that runs and of the one to come: what both must do without.
        knows: the migrations that the running code was written for; None where nothing runs.
        backfills: those that are still to be run.
    """
    if earlier := [other for other in backfills if other.id < entry.id]:
        return f"waits for the backfill of {earlier[0].name}"
    if knows is not None and not _known(entry, knows):
        return "the running release does not know this migration"
    for code in codes:
        table = code.wanted.get(entry.table_name) or code.wanted.get(f'"{entry.table_name}"')
        if entry.table_name and table is not None:
            if not entry.column_name:
                return f"code that runs or is to run has table {entry.table_name}"
            if entry.column_name in table["columns"]:
                return f"code that runs or is to run has column {entry.table_name}.{entry.column_name}"
    return ""


def _known(entry: Entry, knows: Known) -> bool:
    if entry.migration in knows.get(entry.app, {}):
        return True
    return any(entry.name in replaced for names in knows.values() for replaced in names.values())


PATIENCE = 30.0
"""Seconds for which a lock is asked for here: it is not urgent, and a release waits."""


def contract(stage: Stage, codes: Collection[Code], knows: Known | None) -> int:
    """Do what may be done, in the order in which it was written; returns how many entries are left."""
    waiting: set[tuple[str, str, int]] = set()
    patience, stage.steps.patience = stage.steps.patience, min(PATIENCE, stage.steps.patience)
    for entry in stage.journal.pending(*LATER):
        operation = (entry.app, entry.migration, entry.operation)
        if operation in waiting:
            continue
        why = kept_back(entry, codes, knows, stage.journal.pending("backfill")) or _done(stage, entry)
        if why:
            # What follows of the same operation stands on it.
            waiting.add(operation)
            stage.journal.note(entry, why)
            stage.log.tell("note", message=f"{entry.name}: {entry.text}: left for later: {why}")
    stage.steps.patience = patience
    for table in aside.expire(stage.journal):
        stage.log.tell("note", message=f"{table} was dropped: it lay aside for {aside.DAYS} days")
    return len(stage.journal.pending(*LATER))


def _done(stage: Stage, entry: Entry) -> str:
    """Do one; why not, where the database refuses."""
    from django.db import DatabaseError, IntegrityError, OperationalError, ProgrammingError

    if not entry.sql:
        stage.journal.finish(entry)
        return ""
    try:
        stage.steps.run(entry)
    except IntegrityError as error:
        return f"rows violate it: {_line(error)}"
    except OperationalError as error:
        if not state(error):
            raise  # the connection itself
        return _line(error)
    except ProgrammingError as error:
        if state(error) not in GONE:
            return _line(error)
        stage.journal.finish(entry, f"not there any more: {_line(error)}")
        if entry.form != DROP:
            stage.log.tell("note", message=f"{entry.name}: {entry.text}: not done: {_line(error)}: {entry.sql}")
    except DatabaseError as error:
        return _line(error)
    return ""


def settle(stage: Stage) -> int:
    """Run the backfills; returns how many there were. What one of them raises ends the stage: it is the project's.

    One that this image does not have (the code before runs again) goes on waiting.
    """
    found = stage.journal.pending("backfill", "data")
    for entry in found:
        stage.migration = entry.name
        try:
            stage.steps.run(entry)
        except UnknownMigration as error:
            stage.log.tell("note", message=str(error))
    return len(found)


def _line(error: Any) -> str:
    return (str(error).splitlines() or [""])[0]


def held(entries: Collection[Entry]) -> set[tuple[str, str]]:
    """What entries of the journal leave to be done, as (table, name of a column, constraint or index; "" for all)."""
    from nuages_runtime.migrations.course import held_by

    return set().union(*(held_by(entry.table_name, entry.column_name, entry.sql) for entry in entries))
