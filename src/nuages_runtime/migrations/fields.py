"""The class of a field that is added or removed, and what a field is in the database."""

# mypy: disable-error-code=import-not-found

from __future__ import annotations

import copy
import datetime
from typing import Any

from django.db import connections
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import NOT_PROVIDED
from django.utils import timezone

from nuages_runtime.migrations.judged import CONTRACT, EXPAND, STATE, UNSAFE, Judged, Setting

_NOW = (timezone.now, timezone.localtime, timezone.localdate)
_CLOCKS = ("now", "utcnow", "today")
# What PostgreSQL computes once for a statement, not anew for each row: no rewrite.
_STABLE = frozenset(
    {
        *(
            "Now",
            "TransactionNow",
            "Value",
            "DatabaseDefault",
            "Pi",
            "Cast",
            "Coalesce",
            "Concat",
            "ConcatPair",
            "Lower",
        ),
        *("Upper", "Trim", "Abs", "JSONObject", "CombinedExpression", "ExpressionWrapper"),
    }
)
_THREE_STEPS = (
    "add it with null=True, fill it (a backfill), and take null=True away in a later release; or give it a db_default"
)


def given(field: Any, operation: Any) -> Any:
    """The field with the default of a one-off answer to makemigrations (preserve_default=False), as Django adds it."""
    if operation.preserve_default:
        return field
    once = copy.copy(field)
    once.__dict__.pop("_get_default", None)
    once.default = operation.field.default
    return once


def added(model: Any, field: Any, setting: Setting) -> Judged:
    """AddField; `field` has the default that the rows which are there get."""
    if field.many_to_many:
        through = field.remote_field.through._meta
        if not through.auto_created:
            return Judged(STATE)
        if setting.waits(through.db_table, ""):
            return still_there(through.db_table)
        return Judged(EXPAND, "a table of its own", makes=frozenset({through.db_table}))
    if type_of(field, setting) is None:
        return Judged(STATE)
    table, name = model._meta.db_table, f"{model._meta.db_table}.{field.column}"
    if setting.waits(table, field.column):
        return still_there(name)
    if not setting.knows(table):
        return Judged(EXPAND, f"the running code does not know {table}")
    if field.primary_key:
        return Judged(UNSAFE, f"{table} gets another primary key", "a new model, filled by a backfill")
    if getattr(field, "generated", False):
        return _generated(table, field, setting)
    if has_db_default(field):
        return _with_db_default(table, field, setting)
    if field.null:
        if field.unique and BaseDatabaseSchemaEditor._effective_default(field) is not None:
            return Judged(UNSAFE, f"{name} is unique, and all rows get one and the same default", _THREE_STEPS)
        return Judged(EXPAND, "the column may be NULL, and the running code leaves it out")
    return _not_null(table, field, setting)


def _generated(table: str, field: Any, setting: Setting) -> Judged:
    if not field.db_persist:
        return Judged(EXPAND, "computed when it is read")
    if setting.small(table):
        return Judged(EXPAND, f"computed for each row; {table} is small")
    return Judged(
        UNSAFE,
        f"{table} is rewritten to compute {field.column}, and nobody reads or writes it meanwhile",
        "an ordinary field with null=True, written by the code and filled by a backfill",
    )


def _with_db_default(table: str, field: Any, setting: Setting) -> Judged:
    name = f"{table}.{field.column}"
    volatile = setting.vendor == "postgresql" and not _stable(field)
    if field.unique and not volatile:
        return Judged(UNSAFE, f"{name} is unique, and all rows get one and the same default", _THREE_STEPS)
    if volatile and not setting.small(table):
        return Judged(
            UNSAFE,
            f"{table} is rewritten, since the default of {field.column} is another for each row",
            "add it with null=True, set the db_default in a second AlterField, and fill the rows by a backfill",
        )
    return Judged(EXPAND, "the database fills it in where the running code leaves it out")


def _not_null(table: str, field: Any, setting: Setting) -> Judged:
    """A column that may not be NULL, with a default of Python's: PostgreSQL keeps it as long as old code writes."""
    name = f"{table}.{field.column}"
    clock = _is_clock(field)
    try:
        default, again = _default(field), _default(field)
    except Exception as error:
        return Judged(UNSAFE, f"the default of {name} fails: {type(error).__name__}: {error}", _THREE_STEPS)
    if default is None:
        return Judged(UNSAFE, f"{name} may not be NULL and has no default for the rows that are there", _THREE_STEPS)
    if field.unique:
        return Judged(UNSAFE, f"{name} is unique, and all rows get one and the same default", _THREE_STEPS)
    if setting.vendor != "postgresql":
        why = f"{name} may not be NULL, and {setting.vendor} keeps no default for the running code, which leaves it out"
        return Judged(UNSAFE, why, _THREE_STEPS)
    if clock:
        return Judged(EXPAND, "the default stays in the database: rows that the running code adds get this moment")
    if default != again:
        return Judged(
            UNSAFE,
            f"the default of {name} is another each time, and the database would give one to all rows",
            _THREE_STEPS,
        )
    return Judged(EXPAND, "the default stays in the database as long as the running code leaves the column out")


def removed(model: Any, field: Any, setting: Setting) -> Judged:
    """RemoveField."""
    if field.many_to_many:
        through = field.remote_field.through._meta
        if not through.auto_created:
            return Judged(STATE)
        return taken(through.db_table, setting)
    if type_of(field, setting) is None:
        return Judged(STATE)
    table = model._meta.db_table
    if not setting.knows(table, field.column):
        return Judged(EXPAND, f"the running code does not know {table}.{field.column}")
    if field.primary_key:
        return Judged(UNSAFE, f"{field.column} is the primary key of {table}", "a new model, filled by a backfill")
    return Judged(
        CONTRACT,
        f"the running code reads and writes {table}.{field.column}",
        "nothing to do: it may be left out now, and is dropped when no old pod is left",
        holds=frozenset({(table, field.column)}),
    )


def taken(table: str, setting: Setting) -> Judged:
    """A table goes."""
    if not setting.knows(table):
        return Judged(EXPAND, f"the running code does not know {table}")
    return Judged(
        CONTRACT,
        f"the running code reads and writes {table}",
        "nothing to do: nothing new asks for it, and it is dropped when no old pod is left",
        holds=frozenset({(table, "")}),
    )


def index_gone(table: str, name: str, setting: Setting) -> Judged:
    """An index is not wanted any more."""
    if not setting.knows(table):
        return Judged(EXPAND, f"the running code does not know {table}")
    return Judged(
        CONTRACT,
        f"queries of the running code may need the index of {table}",
        "nothing to do: it is dropped when no old pod is left",
        holds=frozenset({(table, name)}),
    )


def still_there(name: str) -> Judged:
    return Judged(
        UNSAFE,
        f"{name} is still there until its removal is done, and can't be made a second time",
        "give the new one another name; or end the removal first, by a release before this one or `nuages contract`",
    )


def _default(field: Any) -> object:
    """What the rows that are there would get."""
    fresh = copy.copy(field)
    fresh.__dict__.pop("_get_default", None)
    return BaseDatabaseSchemaEditor._effective_default(fresh)


def _is_clock(field: Any) -> bool:
    default = field.default
    if default is NOT_PROVIDED:
        return bool(getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False))
    if not callable(default):
        return False
    owner = getattr(default, "__self__", None)
    of_class = isinstance(owner, type) and issubclass(owner, datetime.date) and default.__name__ in _CLOCKS
    return of_class or any(default is clock for clock in _NOW)


def has_db_default(field: Any) -> bool:
    default = getattr(field, "db_default", NOT_PROVIDED)
    return default is not NOT_PROVIDED


def _stable(field: Any) -> bool:
    default = field.db_default
    if not hasattr(default, "resolve_expression"):
        return True
    return all(type(part).__name__ in _STABLE for part in default.flatten())


def type_of(field: Any, setting: Setting) -> str | None:
    found = parameters(field, setting)["type"]
    return None if found is None else str(found)


def parameters(field: Any, setting: Setting) -> dict[str, Any]:
    return dict(field.db_parameters(connection=connections[setting.alias]))
