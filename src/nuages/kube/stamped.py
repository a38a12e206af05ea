"""What the API puts before each line of a log where it is asked for the time. Quick to import."""

from __future__ import annotations


def stamped(line: bytes) -> tuple[str, str]:
    """Time and text of a line, as the API tells it with its time; what is not UTF-8 is shown as such."""
    time, _, text = line.decode(errors="replace").partition(" ")
    return time, text.rstrip("\r")
