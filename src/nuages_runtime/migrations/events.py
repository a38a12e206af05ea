"""What a migrating process tells the tool: lines `@nuages {json}` on standard output, between Django's own.

| event | with |
|---|---|
| step | migration (`blog.0005_slug`), statement, seconds, stage (`expand`), done (False: it begins now) |
| waiting | migration, reason, seconds (until the next attempt) |
| note | message |
| deferred | entries (how many are left in the journal), backfills (of them), texts |
| facts | databases, as schema.py makes them, or gzip: the same as base64 of gzipped JSON |
| refused | findings: [{id, message, place, hint}] |
| failed | migration, statement, error, hint |

Never a statement's parameters: they are data.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
import sys
from typing import TextIO

PREFIX = "@nuages "
LONGEST = 300
"""Characters of a statement that are told."""


class Log:
    """Standard output as the Job writes it: Django's own lines, passed on as they come, and ours between them."""

    def __init__(self, out: TextIO | None = None) -> None:
        """Pass on to `out`; standard output where none is given."""
        self._out = out or sys.stdout
        self.migration = ""
        self.statement = ""
        """The one that failed."""
        self._open = False

    def write(self, text: str) -> int:
        """Pass on and flush: Django writes "Applying x..." before the work and "OK" after it."""
        written = self._out.write(text)
        self._out.flush()
        if text:
            self._open = not text.endswith("\n")
        return written

    def flush(self) -> None:
        """Nothing is kept."""

    def isatty(self) -> bool:
        """No colours in a log."""
        return False

    def end_line(self) -> None:
        """End a line that Django left open ("Applying x..."), so that what follows is one of its own."""
        if self._open:
            self.write("\n")

    def say(self, line: str) -> None:
        """One line for a person who reads the log."""
        self.end_line()
        self.write(f"nuages: {line}\n")

    def tell(self, event: str, **facts: object) -> None:
        """One event for the tool."""
        self.end_line()
        self.write(PREFIX + json.dumps({"event": event, **facts}, default=str) + "\n")


def packed(databases: object) -> dict[str, str]:
    """The facts of an event, small: a project of 300 tables would write a line of 300 KB."""
    text = json.dumps(databases, separators=(",", ":"), default=str).encode()
    return {"gzip": base64.b64encode(gzip.compress(text, mtime=0)).decode()}


# Where a value stands in a statement that is itself a secret: CREATE ROLE, CREATE USER MAPPING, a subscription.
_SECRET = re.compile(
    r"(\b(?:password|passwd|secret|token|api_?key|secret_?key|access_?key)\b\"?\s*[=(]?\s*)(E?'(?:[^']|'')*'|\$(\w*)\$.*?\$\3\$)",
    re.IGNORECASE | re.DOTALL,
)
_IN_ADDRESS = re.compile(r"(\w://[^\s:/@']*:|\bpassword=)[^\s@']+", re.IGNORECASE)


def without_secrets(sql: str) -> str:
    """A statement without what follows the word password, and without the passwords in addresses."""
    return _IN_ADDRESS.sub(r"\1***", _SECRET.sub(r"\1'***'", sql))


def shown(sql: object) -> str:
    """A statement on one line, without secrets, cut to LONGEST."""
    text = without_secrets(" ".join(str(sql).split()))
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
