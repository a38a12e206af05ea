"""What is pending in the databases that a release migrates: each operation with its class and its statements, what
earlier releases left, how large the tables are, and what speaks against it.

    plan()      all of it, with a rehearsal on a clone of the schema
    inspect()   what the code needs, and what the databases are
    check()     the gates alone
"""

# Django is the image's, and is imported when there are settings to import it with.
# ruff: noqa: PLC0415
# mypy: disable-error-code=import-not-found

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from nuages_runtime.migrations import contract, gates, schema
from nuages_runtime.migrations.connect import DIRECT
from nuages_runtime.migrations.course import Course, held_by, measured
from nuages_runtime.migrations.events import without_secrets
from nuages_runtime.migrations.gates import Gate, gate
from nuages_runtime.migrations.journal import LATER, Entry, Journal
from nuages_runtime.migrations.judged import CONTRACT, UNSAFE, Judged
from nuages_runtime.migrations.leaves import leaves
from nuages_runtime.migrations.rehearsal import Told, rehearse
from nuages_runtime.migrations.running import own, running
from nuages_runtime.startup import migrated

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

UNSURVIVED, UNSURVIVED_UNSTAGED = "migration.E430", "migration.E431"
"""What a migration does that the running code would not survive: on PostgreSQL, and on other databases."""

SHOWN = 300
"""Characters of a project's own SQL that are told."""


def plan() -> dict[str, Any]:
    """The answer of `python -m nuages_runtime.migrations plan`."""
    from django.db import connections

    classes = declared()
    found = list(gates.of_the_project(ignored(), classes))
    databases = {}
    for alias in migrated():
        databases[alias], told = _database(connections[alias], classes)
        found += told
    return {"schema": 1, "databases": databases, "gates": found}


def inspect() -> dict[str, Any]:
    """The answer of `python -m nuages_runtime.migrations inspect`."""
    from django.db import connections

    names = list(declared())
    return {"schema": 1, "databases": {alias: schema.inspect(connections[alias], names) for alias in migrated()}}


def check() -> dict[str, Any]:
    """The answer of `python -m nuages_runtime.migrations check`."""
    from django.db import connections

    found = list(gates.of_the_project(ignored(), declared()))
    for alias in migrated():
        found += gates.history(connections[alias])
    return {"schema": 1, "gates": found}


def declared() -> dict[str, str]:
    """The classes that the spec declares: NUAGES_CLASSES, JSON."""
    return {str(name): str(kind) for name, kind in json.loads(os.environ.get("NUAGES_CLASSES") or "{}").items()}


def refused() -> list[Gate]:
    """The gates that hold a release back, asked before a Job migrates; none where NUAGES_CHECKS_IGNORED is not set, as
    in a Job that an older nuages rendered.
    """
    if "NUAGES_CHECKS_IGNORED" not in os.environ:
        return []
    return [each for each in check()["gates"] if each["level"] == "error"]


def ignored() -> list[str]:
    """The ids of checks and gates that the spec lets pass: NUAGES_CHECKS_IGNORED, with commas between them."""
    return [each.strip() for each in os.environ.get("NUAGES_CHECKS_IGNORED", "").split(",") if each.strip()]


def _database(connection: BaseDatabaseWrapper, classes: Mapping[str, str]) -> tuple[dict[str, Any], list[Gate]]:
    found = list(gates.history(connection))
    now, journal = running(connection), Journal(connection)
    entries = [entry for entry in journal.all() if entry.done is None and entry.kind not in {"operation", "aside"}]
    due = _due(connection, entries, now)
    waiting = {
        each
        for entry in entries
        if entry.kind == CONTRACT and entry not in due
        for each in held_by(entry.table_name, entry.column_name, entry.sql)
    }
    sizes = measured(connection)
    answer: dict[str, Any] = {
        "vendor": connection.vendor,
        "version": _version(connection),
        "pending": [],
        "journal": [_told(entry) for entry in entries],
        "tables": {},
        "schema": schema.inspect(connection, list(classes)),
        "after": None,
    }
    if any(each["level"] == "error" for each in found):
        return answer, found
    course = Course(connection, now.wanted if now else None, classes, waiting, sizes)
    judged = list(_judged(connection, course))
    unsafe = any(each.kind == UNSAFE for _, operations in judged for _, each in operations)
    if now:
        found += _refused(connection, judged)
    told = Told(why=f"{connection.vendor}: nothing is rehearsed")
    if connection.vendor == "postgresql" and (judged or due):
        told = rehearse(connection, None if unsafe else course.running, classes, due, sizes)
    answer["pending"] = [_migration(migration, operations, told) for migration, operations in judged]
    answer["after"] = told.after if judged or due else answer["schema"]["live"]
    touched = {lock["table"] for each in told.statements.values() for one in each for lock in one["locks"]}
    answer["tables"] = {
        table: {"rows": rows, "bytes": size} for table, (rows, size) in sorted(sizes.items()) if table in touched
    }
    return answer, found + list(_rehearsed(connection, judged, told))


def _judged(connection: BaseDatabaseWrapper, course: Course) -> Iterator[tuple[Any, list[tuple[Any, Judged]]]]:
    """Each pending migration in the order in which it would run, with its operations and their classes."""
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if not pending:
        return
    state = executor._create_project_state(with_applied_migrations=True)
    for migration, _ in pending:
        found = leaves(migration, state)
        yield migration, [(leaf, course.judge(migration, leaf.operation, leaf.before, leaf.after)) for leaf in found]


def _due(connection: BaseDatabaseWrapper, entries: Collection[Entry], now: contract.Code | None) -> list[Entry]:
    """What this release would work off before its own migrations: nobody needs it any more."""
    if not entries or (now and os.environ.get("NUAGES_CONTRACT") == "manual"):
        return []
    codes, backfills = [own(connection), *([now] if now else [])], [e for e in entries if e.kind == "backfill"]
    knows = now.known if now else None
    return [e for e in entries if e.kind in LATER and not contract.kept_back(e, codes, knows, backfills)]


def _migration(migration: Any, operations: list[tuple[Any, Judged]], told: Told) -> dict[str, Any]:
    name = f"{migration.app_label}.{migration.name}"
    return {
        "app": migration.app_label,
        "name": migration.name,
        "operations": [
            {
                "text": described(leaf.operation),
                "kind": judged.kind,
                "why": judged.why,
                "safer": judged.safer,
                "declared": judged.declared,
                "opaque": judged.opaque,
                "statements": told.statements.get((name, leaf.place)) or _written(leaf.operation),
            }
            for leaf, judged in operations
        ],
    }


def described(operation: Any) -> str:
    """As Django describes it; code by its name, for "Raw Python operation" says nothing."""
    from django.db.migrations import RunPython

    if isinstance(operation, RunPython):
        code = getattr(operation.code, "__qualname__", type(operation.code).__qualname__)
        return f"Run {code}"
    return str(operation.describe())


def _written(operation: Any) -> list[dict[str, Any]]:
    """SQL that the project wrote itself, as it stands: it is not rehearsed."""
    from django.db.migrations import RunSQL

    if not isinstance(operation, RunSQL):
        return []
    parts = operation.sql if isinstance(operation.sql, (list, tuple)) else [operation.sql]
    texts = [
        without_secrets(" ".join(str(part[0] if isinstance(part, (list, tuple)) else part).split())) for part in parts
    ]
    return [
        {"sql": text[:SHOWN], "locks": [], "rewrites": False, "concurrent": "CONCURRENTLY" in text.upper()}
        for text in texts
        if text
    ]


def _refused(connection: BaseDatabaseWrapper, judged: list[tuple[Any, list[tuple[Any, Judged]]]]) -> Iterator[Gate]:
    """What the migrate Job would refuse, before anything is touched, and what it would do without knowing what."""
    for migration, operations in judged:
        name = f"{migration.app_label}.{migration.name}"
        for leaf, each in operations:
            if found := unsurvived(connection, name, leaf.operation, each):
                yield found
            elif each.opaque:
                yield gate("migration.W413", f"{described(leaf.operation)}: {each.why}", name, each.safer, "warning")


def unsurvived(connection: BaseDatabaseWrapper, migration: str, operation: Any, judged: Judged) -> Gate | None:
    """What is refused of an operation for the sake of the code that runs; None where it survives it.

    Only PostgreSQL can hold back what an operation takes away.
    """
    staged = connection.vendor == "postgresql"
    if judged.kind != UNSAFE and (judged.kind != CONTRACT or staged):
        return None
    return gate(
        UNSURVIVED if staged else UNSURVIVED_UNSTAGED,
        f"{described(operation)}: {judged.why or 'the running code needs what it takes away'}",
        migration,
        (judged.kind == UNSAFE and judged.safer) or "nuages deploy --maintenance",
    )


def _rehearsed(
    connection: BaseDatabaseWrapper, judged: list[tuple[Any, list[tuple[Any, Judged]]]], told: Told
) -> Iterator[Gate]:
    if told.failed and told.unsure:
        name, statement, error = told.failed
        message = f"the rehearsal ends here, maybe for code that it does not run: {error}: {statement}"
        yield gate("migration.W411", message, name, "try it on a copy of the database", "warning")
    elif told.failed:
        name, statement, error = told.failed
        message = f"it would fail: {error}" + (f"; the statement: {statement}" if statement else "")
        yield gate("migration.E410", message, name, "mend the migration; the database is not as it takes it to be")
    elif told.why and judged and connection.vendor == "postgresql":
        message = f"nothing was rehearsed, so that statements and locks are not known: {told.why}"
        hint = "GRANT CREATE ON DATABASE to the user that migrates"
        if DIRECT in told.why:
            hint = f"set {DIRECT} beside DATABASE_URL"
        yield gate("migration.W412", message, connection.alias, hint, "warning")


def _told(entry: Entry) -> dict[str, Any]:
    return {
        "release": entry.release,
        "app": entry.app,
        "migration": entry.migration,
        "kind": entry.kind,
        "sql": without_secrets(entry.sql or entry.text),
    }


def _version(connection: BaseDatabaseWrapper) -> str:
    connection.ensure_connection()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version")
            return str(cursor.fetchone()[0])
    version = connection.get_database_version() if hasattr(connection, "get_database_version") else ()
    return ".".join(str(part) for part in version)
