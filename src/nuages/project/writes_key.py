"""What to call a folder's volume."""

from __future__ import annotations

import re


def key_of(folder: str) -> str:
    """A key of the spec for a folder: data for data, var-index for var/index."""
    words = re.sub(r"[^a-z0-9]+", "-", folder.lower()).strip("-")
    return re.sub(r"^[^a-z]+", "", words)[:20].strip("-") or "folder"
