"""What is written down of a command that was run in a pod, as release/audit.py keeps it. Pure, and quick to import:
`exec` writes before it begins.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from nuages.release import redact

KIND = "runs"
KEPT = 200
"""Entries; a ConfigMap holds 1 MiB (https://kubernetes.io/docs/concepts/configuration/configmap/)."""

LONGEST = 2000
"""Characters of a command line that are kept."""

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


class Entry(NamedTuple):
    """One command: the same fields as `audit.Ran`, in the same order."""

    schema: int
    id: str
    pod: str
    by: str
    command: Sequence[str]
    release: int
    started: str
    ended: str | None = None
    exit_code: int | None = None
    note: str = ""

    @property
    def text(self) -> str:
        """As it is kept."""
        return json.dumps(self._asdict(), ensure_ascii=False, separators=(",", ":"))


def begun(app: str, command: Sequence[str], *, pod: str, release: int, by: str) -> Entry:
    """A command that begins now."""
    letters = "".join(_LETTERS[number % len(_LETTERS)] for number in os.urandom(8))
    return Entry(1, f"{app}-{letters}", pod, by, shortened(public(command)), release, now())


def now() -> str:
    """The time, to the second."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def public(command: Sequence[str]) -> tuple[str, ...]:
    """A command line without the passwords in it: behind --password, in a URL, in a statement."""
    return tuple(redact.text(word) for word in redact.flags(list(command)))


def shortened(command: Sequence[str]) -> tuple[str, ...]:
    """A command line that is not too long to be kept."""
    line = " ".join(command)
    return (f"{line[:LONGEST]}…",) if len(line) > LONGEST else tuple(command)


def beyond(kept: Mapping[str, str]) -> list[str]:
    """The keys of the oldest entries, which go."""
    if len(kept) <= KEPT:
        return []
    started: dict[str, Any] = {key: json.loads(text)["started"] for key, text in kept.items()}
    return sorted(started, key=lambda key: str(started[key]), reverse=True)[KEPT:]
