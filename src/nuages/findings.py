"""What a finding is: a fact with a stable id, a level, a place, a message and a hint.

Ids are a promise (`spec.E103`): each is documented in docs/reference/findings.md, and a test fails where one is not.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Level(StrEnum):
    """How much a finding weighs: an error refuses, a warning is said, information is for the curious."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Place(NamedTuple):
    """Where a finding is: a file with 1-based line and column, a path inside a document, or both."""

    file: str = ""
    line: int = 0
    column: int = 0
    path: str = ""

    def __str__(self) -> str:
        position = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        return f"{position}: {self.path}" if position and self.path else position or self.path


class Finding(NamedTuple):
    """One fact about a spec, a project or an object."""

    id: str
    level: Level
    message: str
    place: Place = Place()
    hint: str = ""


def errors(findings: list[Finding]) -> list[Finding]:
    """Those that refuse."""
    return [finding for finding in findings if finding.level is Level.ERROR]
