"""Small files of our own in the cache: read where nobody else has laid them there, and written whole.

Where the cache is a folder that others may write to as well, as /tmp, theirs would be believed, and a link of theirs
followed.
"""

from __future__ import annotations

import os


def read(place: str) -> tuple[str, float]:
    """What a file says, and when it was written.

    Raises:
        OSError: it is not there, or not ours.
        ValueError: it is no text.
    """
    with open(place, encoding="utf-8") as file:  # noqa: PTH123 - pathlib costs 10 ms
        known = os.fstat(file.fileno())
        if known.st_uid != os.geteuid():
            raise PermissionError(place)
        return file.read(), known.st_mtime


def write(place: str, text: str) -> None:
    """Put a file in the place of what was there; its folder is made where it is missing.

    Raises:
        OSError: it can't be.
    """
    os.makedirs(os.path.dirname(place), mode=0o700, exist_ok=True)  # noqa: PTH103, PTH120
    fresh = f"{place}.{os.getpid()}"
    if os.path.lexists(fresh):  # of an earlier process with this pid, or laid there: never written into
        os.unlink(fresh)  # noqa: PTH108
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(fresh, place)  # noqa: PTH105
