"""`python -m benchmarks` runs all that end within the hour; `python -m benchmarks deploy --rounds 9` one, with its
options.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from nuages.errors import NuagesError

NAMES = (
    "startup",
    "commands",
    "overlay",
    "servers",
    "deploy",
    "change",
    "dev",
    "images",
    "load",
    "verdicts",
    "looking",
    "cluster",
    "locks",
    "soak",
    "tasks",
    "scaling",
    "restore",
    "matrix",
)
LONG = ("faults",)
"""They take hours: only by name."""


def main(argv: Sequence[str]) -> None:
    """Run the one that is named, or all with their defaults; they load their parts only then."""
    if argv and argv[0] not in (*NAMES, *LONG):
        sys.exit(f"usage: python -m benchmarks [{'|'.join((*NAMES, *LONG))}] [--help]")
    names, options = ((argv[0],), argv[1:]) if argv else (NAMES, [])
    for name in names:
        print(f"\n== {name} ==", flush=True)
        try:
            importlib.import_module(f"benchmarks.{name}").main(options)
        except NuagesError as error:
            sys.exit("\n".join(part for part in (error.message, error.detail, error.hint) if part))


if __name__ == "__main__":
    main(sys.argv[1:])
