"""Where nuages keeps things on this machine."""

from __future__ import annotations

import os
from pathlib import Path


def cache() -> Path:
    """What can be made again: built programs, images, builds. $XDG_CACHE_HOME/nuages, by default ~/.cache/nuages.

    Rule: https://specifications.freedesktop.org/basedir-spec/latest/ (an empty variable counts as unset).
    """
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nuages"
