"""What the running release's code reads and writes, as its record tells: NUAGES_RUNNING names the file, gzipped JSON.

Where the variable is set and there is no such file, the release that runs was made by an older nuages. Then its code is
taken to need all that the database has, and to know each migration that is applied.
"""

# mypy: disable-error-code=import-not-found

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nuages_runtime.migrations import schema
from nuages_runtime.migrations.contract import Code

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

VARIABLE = "NUAGES_RUNNING"


def running(connection: BaseDatabaseWrapper) -> Code | None:
    """The code that runs beside the migrations of a database; None where none does."""
    name = os.environ.get(VARIABLE, "")
    if not name:
        return None
    databases: dict[str, Any] = {}
    if Path(name).is_file():
        databases = json.loads(gzip.decompress(Path(name).read_bytes())).get("databases") or {}
    if connection.alias in databases:
        found = databases[connection.alias]
        return Code(found["wanted"], found["known"])
    known: dict[str, dict[str, list[str]]] = {}
    for each in schema.applied(connection):
        app, _, migration = each.partition(".")
        known.setdefault(app, {})[migration] = []
    return Code(schema.live(connection), known)


def own(connection: BaseDatabaseWrapper) -> Code:
    """The code of this image."""
    from django.db.migrations.loader import MigrationLoader  # noqa: PLC0415

    return Code(schema.wanted(connection), schema.known(MigrationLoader(connection, ignore_no_migrations=True)))
