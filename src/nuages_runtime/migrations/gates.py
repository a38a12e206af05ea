"""What the project itself says against a release, before anything is touched.

Each gate gives findings: {"id", "level", "message", "place", "hint"}, level error, warning or info. docs/reference/
findings.md has them all.
"""

# Django is the image's, and is imported when there are settings to import it with.
# ruff: noqa: PLC0415
# mypy: disable-error-code=import-not-found

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nuages_runtime.migrations.judged import DECLARABLE
from nuages_runtime.startup import first_line

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

Gate = dict[str, str]
INSTALLED = frozenset({"site-packages", "dist-packages"})
"""What lies below such a folder is somebody else's: its models are not the project's to migrate."""


LET_PASS = {
    **dict.fromkeys(
        ("security.W001", "security.W002", "security.W003"),
        "which middleware it has is the project's decision: an API has no forms and no frames",
    ),
    **dict.fromkeys(
        ("security.W004", "security.W005", "security.W021"),
        "HSTS is the project's decision: browsers keep it for months",
    ),
    "security.W008": "who comes without TLS is redirected before the pods, if at all",
    "security.W019": "who may show its pages in a frame is the project's decision",
    # It asks for forms and lookups that a project on SQLite did without; columns and indexes are made all the same.
    "postgres.E005": "the project was written for another database than PostgreSQL",
    "mail.E001": "mails are written to the log, and sent to nobody",
}
"""What many a good project is told, and what is no reason to hold it back; each with why."""
WITHOUT_TLS = {
    "security.W012": "not everybody comes by TLS here: browsers would not send the cookie",
    "security.W016": "not everybody comes by TLS here: browsers would not send the cookie",
}
"""The same, unless every origin that the app is reached by is known to have TLS (NUAGES_ORIGINS)."""


def gate(identifier: str, message: str, place: str = "", hint: str = "", level: str = "error") -> Gate:
    """One finding."""
    return {"id": identifier, "level": level, "message": message, "place": place, "hint": hint}


def of_the_project(ignored: Collection[str], classes: Mapping[str, str]) -> Iterator[Gate]:
    """The gates that need no database.

    Args:
        ignored: ids of Django's checks that the spec lets pass: "security.W004".
        classes: what the spec declares: {"blog.0005_fill": "backfill"}.
    """
    from django.db.migrations.loader import MigrationLoader

    loader = MigrationLoader(None, ignore_no_migrations=True)
    yield from (found for found in of_the_image(loader) if found["id"] not in ignored)
    yield from declared(loader, classes)
    yield from checks(ignored)


def of_the_image(loader: Any = None) -> Iterator[Gate]:
    """The gates that are the same wherever the image runs: what its migrations say of its models."""
    from django.db.migrations.loader import MigrationLoader

    loader = loader or MigrationLoader(None, ignore_no_migrations=True)
    split = list(leaves(loader))
    yield from split
    if split:
        return
    try:
        yield from list(changes(loader))
    except Exception as error:  # a history that nobody could make a migration of either
        message = f"models and migrations can't be compared: {type(error).__name__}: {first_line(error)}"
        yield gate("migration.W409", message, "", "python manage.py makemigrations --check", "warning")


def leaves(loader: Any) -> Iterator[Gate]:
    """Several last migrations of one app: two branches were merged, and nobody said in which order they go."""
    for app, names in sorted(loader.detect_conflicts().items()):
        yield gate(
            "migration.E401",
            f"{app} has {len(names)} last migrations: {', '.join(sorted(names))}",
            app,
            f"python manage.py makemigrations --merge {app}",
        )


def changes(loader: Any) -> Iterator[Gate]:
    """Models of the project's own apps that no migration knows yet, as makemigrations would find them."""
    from django.apps import apps
    from django.core.management.commands.makemigrations import Command
    from django.db.migrations.autodetector import MigrationAutodetector
    from django.db.migrations.questioner import MigrationQuestioner
    from django.db.migrations.state import ProjectState

    mine = {config.label for config in apps.get_app_configs() if own(config.path)}
    detector = getattr(Command, "autodetector", MigrationAutodetector)(
        loader.project_state(), ProjectState.from_apps(apps), MigrationQuestioner(specified_apps=mine, dry_run=True)
    )
    found = detector.changes(graph=loader.graph, trim_to_apps=mine, convert_apps=mine)
    try:
        reaching = _reaching(loader, found)
    except Exception:  # fields of the project's own, or models that can't be made of a state: each may reach it
        reaching = {
            id(operation) for each in found.values() for migration in each for operation in migration.operations
        }
    for app, migrations in sorted(found.items()):
        if app not in mine:
            continue
        if app in loader.unmigrated_apps:
            yield gate(
                "migration.W405",
                f"{app} has models and no migrations: its tables are never made",
                app,
                f"python manage.py makemigrations {app}",
                "warning",
            )
            continue
        operations = [operation for migration in migrations for operation in migration.operations]
        hint = f"python manage.py makemigrations {app}, and commit it"
        if texts := [each.describe() for each in operations if id(each) in reaching]:
            message = f"models of {app} have changed without a migration: {_first_of(texts)}"
            yield gate("migration.E402", message, app, hint)
        else:
            texts = [each.describe() for each in operations]
            message = f"models of {app} and its migrations differ in what no database knows: {_first_of(texts)}"
            yield gate("migration.I415", message, app, f"{hint}, when you like", "info")


def _first_of(texts: list[str]) -> str:
    more = f", and {len(texts) - 3} more" if len(texts) > 3 else ""
    return f"{', '.join(texts[:3])}{more}"


def _reaching(loader: Any, found: Mapping[str, list[Any]]) -> set[int]:
    """Which operations (by their id()) some database would notice: all that are not of the class `state`.

    A database of which nothing is known (no ENGINE yet) could notice everything but a model's options and managers.
    """
    from django.db import connections
    from django.db.migrations import AlterModelManagers, AlterModelOptions

    from nuages_runtime.migrations.judged import STATE
    from nuages_runtime.migrations.operations import classify

    migrations = {(app, migration.name): migration for app, each in found.items() for migration in each}
    before = {key: set(migration.dependencies) & migrations.keys() for key, migration in migrations.items()}
    known = {alias: connections[alias].vendor for alias in connections if connections[alias].vendor != "unknown"}
    state, reaching = loader.project_state(), set()
    for app, name in TopologicalSorter(before).static_order():
        for operation in migrations[app, name].operations:
            was, state = state, state.clone()
            operation.state_forwards(app, state)
            if isinstance(operation, (AlterModelOptions, AlterModelManagers)):
                continue
            kinds = {
                classify(operation, app, was, state, running=None, vendor=vendor, alias=alias).kind
                for alias, vendor in known.items()
            }
            if kinds != {STATE}:
                reaching.add(id(operation))
    return reaching


def own(path: str) -> bool:
    """Whether an app's folder is the project's, and not one that was installed."""
    return not INSTALLED & set(Path(path).parts)


def declared(loader: Any, classes: Mapping[str, str]) -> Iterator[Gate]:
    """Classes that are declared in vain: a name that is none, or no such class."""
    known = {f"{app}.{name}" for app, name in loader.disk_migrations}
    for name, kind in sorted(classes.items()):
        if kind not in DECLARABLE:
            yield _no_class(kind, f"migrations.classes.{name}")
        elif name not in known:
            where = name.partition(".")[0]
            near = ", ".join(sorted(each for each in known if each.partition(".")[0] == where)[-3:])
            hint = f"the last of {where}: {near}" if near else "app.name, without .py"
            yield gate("migration.W407", f"no migration is called {name}", "migrations.classes", hint, "warning")
    for (app, name), migration in sorted(loader.disk_migrations.items()):
        for each in (migration, *migration.operations):
            marked = getattr(each, "nuages", None)
            if marked is not None and marked not in DECLARABLE:
                yield _no_class(str(marked), f"{app}.{name}")


def _no_class(kind: str, place: str) -> Gate:
    return gate("migration.E406", f"{kind} is no class of migrations", place, f"one of {', '.join(DECLARABLE)}")


def checks(ignored: Collection[str]) -> Iterator[Gate]:
    """`check --deploy`: errors, and warnings of security, without what the spec or SILENCED_SYSTEM_CHECKS lets pass."""
    from django.core import checks as django

    origins = os.environ.get("NUAGES_ORIGINS", "").split(",")
    passing = LET_PASS | ({} if all(each.startswith("https://") for each in origins) else WITHOUT_TLS)
    for message in django.run_checks(include_deployment_checks=True):
        if message.level < django.WARNING or message.is_silenced() or message.id in ignored:
            continue
        text = " ".join(str(message.msg).split())
        if message.id in passing:
            yield gate("migration.I414", f"{message.id}: {text}", "", passing[message.id], "info")
            continue
        about = getattr(message.obj, "label", None) or getattr(getattr(message.obj, "_meta", None), "label", None)
        place = str(about or message.obj or "") if message.obj is not None else ""
        allow = f"django: {{checks: {{ignore: [{message.id}]}}}} lets it pass" if message.id else ""
        hint = "; ".join(filter(None, [" ".join(str(message.hint or "").split()), allow]))
        name = f"{message.id}: " if message.id else ""
        # Other warnings are about code that runs as it is, like a null=True that means nothing: told, not refused.
        if message.level >= django.ERROR or str(message.id).startswith("security."):
            yield gate("migration.E404", f"{name}{text}", place, hint)
        else:
            yield gate("migration.W408", f"{name}{text}", place, hint, "warning")


def history(connection: BaseDatabaseWrapper) -> Iterator[Gate]:
    """A migration that is applied before one that it depends on."""
    from django.db.migrations.exceptions import InconsistentMigrationHistory
    from django.db.migrations.loader import MigrationLoader

    loader = MigrationLoader(connection, ignore_no_migrations=True)
    try:
        loader.check_consistent_history(connection)
    except InconsistentMigrationHistory as error:
        yield gate(
            "migration.E403",
            first_line(error),
            connection.alias,
            "where its tables are there: nuages manage migrate APP NAME --fake; a dependency added later belongs in a "
            "migration of its own",
        )
