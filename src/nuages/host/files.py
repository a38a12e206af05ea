"""Writing a file so that nobody ever reads half of it."""

from __future__ import annotations

import os
from pathlib import Path


def replace(path: Path, content: str, *, mode: int = 0o644) -> None:
    """Put a file with this content in the place of what was there, in one step; the folder is made where it is missing.

    `mode` holds from its first byte on: 0o600 where it has a key.
    """
    path = path.resolve()  # a link stays a link
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)  # of an earlier process with this pid, or laid there: never written into
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as stream:
            stream.write(content)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
