"""The operations of a migration that do something, with the states around them: SeparateDatabaseAndState counts as the
database operations in it.
"""

# Django is the image's, and is imported when there are settings to import it with.
# ruff: noqa: PLC0415
# mypy: disable-error-code=import-not-found

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple


class Leaf(NamedTuple):
    """One operation, and where it stands."""

    place: int
    operation: Any
    before: Any
    after: Any
    atomic: bool
    """Whether Django runs it in a transaction also where the migration has none."""


def leaves(migration: Any, state: Any) -> Iterator[Leaf]:
    """All of them in order; `state` is what the migration finds, and is changed to what it leaves.

    A generator: each state is made when its operation's turn comes.
    """
    index = 0
    for operation in migration.operations:
        before = state.clone()
        operation.state_forwards(migration.app_label, state)
        atomic = bool(operation.atomic or (migration.atomic and operation.atomic is not False))
        for leaf, inner, after in _inside(operation, migration.app_label, before, state):
            yield Leaf(index, leaf, inner, after, atomic)
            index += 1


def _inside(operation: Any, app: str, before: Any, after: Any) -> Iterator[tuple[Any, Any, Any]]:
    from django.db.migrations.operations.special import SeparateDatabaseAndState

    if getattr(type(operation), "database_forwards", None) is not SeparateDatabaseAndState.database_forwards:
        yield operation, before, after
        return
    for each in operation.database_operations:
        then = before.clone()
        each.state_forwards(app, then)
        yield from _inside(each, app, before, then)
        before = then


def is_code(operation: Any) -> bool:
    """RunPython, or RunSQL: nothing of Django's schema editor is between it and the database."""
    from django.db.migrations import RunPython, RunSQL

    return isinstance(operation, (RunPython, RunSQL))


def mixed(migration: Any) -> bool:
    """Whether a migration has code beside operations of Django's."""
    code = [is_code(operation) for operation in migration.operations]
    return any(code) and not all(code)


def writes_rows(operation: Any) -> bool:
    """Whether it is code that may run after the schema changes of its migration: RunPython, and RunSQL of data alone.

    Nothing that only adds needs what it does; but SQL that makes an extension, a function or a trigger is needed.
    """
    from django.db.migrations import RunPython, RunSQL

    if isinstance(operation, RunPython):
        return True
    if not isinstance(operation, RunSQL):
        return False
    parts = operation.sql if isinstance(operation.sql, (list, tuple)) else str(operation.sql).split(";")
    texts = [str(part[0] if isinstance(part, (list, tuple)) else part).strip() for part in parts]
    return all(text.upper().startswith(("UPDATE ", "INSERT ", "DELETE ")) for text in texts if text)
