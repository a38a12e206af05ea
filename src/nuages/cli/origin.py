"""Whose data an environment gets, as nuages.yaml says it: for `env up` and `db copy`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from nuages.cli.target import app_of

if TYPE_CHECKING:
    from nuages.app.components import App
    from nuages.release.environments.cloning import Origin

_NOTHING = re.compile(r"/\*.*?\*/|--[^\n]*|[\s;\ufeff]", re.DOTALL)
"""What psql is told nothing by: comments, and what stands between statements."""


def origin_of(app: App, file: Path) -> Origin | None:
    """The environment whose data it gets, and the statements that anonymise it; None where nothing is said.

    Raises:
        UsageError: the file with the statements can't be read, or says nothing: real rows would leave.
    """
    from nuages.release.environments.cloning import Origin, source_of

    said = source_of(app)
    if not said.environment:
        return None
    statements = _read(file.absolute().parent / said.sql, said.sql) if said.sql else ""
    return Origin(app_of(file, said.environment), statements)


def _read(path: Path, named: str) -> str:
    from nuages.errors import UsageError

    try:
        found = path.read_text("utf-8")
        if _NOTHING.sub("", found):
            return found
        said, hint = "has no statement", "UPDATE what may not leave as it is; anonymise: {none: {}} where all may"
    except UnicodeDecodeError:
        said, hint = "is not UTF-8", f"iconv -t utf-8 {named}"
    except OSError as error:
        said, hint = f"can't be read: {error.strerror}", "a file in the project, relative to nuages.yaml"
    raise UsageError(f"{named} {said}", place=str(path), hint=hint)
