"""`python -m nuages_runtime.migrations plan|inspect|check`: what is pending, what the databases are, what speaks
against a release; as JSON, one line on standard output. Nothing is migrated.

In: NUAGES_RUNNING, NUAGES_CLASSES and NUAGES_CHECKS_IGNORED as pending.py and running.py have them;
NUAGES_DATABASE_WAIT (60 s) for the server to answer. What the project prints while it loads goes to standard error.

Exit codes: 0 told, 1 the project does not load or its migrations do not (its own traceback), 3 no database in time.
"""

# Django is the image's, and is imported when there are settings to import it with.
# ruff: noqa: PLC0415
# mypy: disable-error-code=import-not-found

from __future__ import annotations

import contextlib
import json
import os
import sys
import traceback
from argparse import ArgumentParser
from typing import Any

from nuages_runtime import hook
from nuages_runtime.migrations.connect import Stopped, direct, wait_for
from nuages_runtime.startup import first_line, migrated

FAILED = 1


def answer(question: str) -> dict[str, Any]:
    """The answer; raises Stopped, or whatever the project raised."""
    import django

    os.environ.setdefault("PGCONNECT_TIMEOUT", "5")
    hook.start()  # once more: site.py goes on without what it fails to start
    django.setup()
    from django.db import DEFAULT_DB_ALIAS, connections

    from nuages_runtime.migrations import pending

    direct(connections[DEFAULT_DB_ALIAS])
    for alias in migrated():
        wait_for(connections[alias], float(os.environ.get("NUAGES_DATABASE_WAIT", "60")), say)
    asked = {"plan": pending.plan, "inspect": pending.inspect, "check": pending.check}
    return asked[question]()


def say(line: str) -> None:
    """One line for a person, beside the answer."""
    print(f"nuages: {line}", file=sys.stderr, flush=True)  # noqa: T201 - to standard error


def main() -> int:
    """Print the answer; what fails fails with the project's own traceback, and a last line."""
    parser = ArgumentParser(prog="nuages_runtime.migrations")
    parser.add_argument("question", choices=["plan", "inspect", "check"])
    question = parser.parse_args().question
    with contextlib.redirect_stdout(sys.stderr):
        try:
            told = answer(question)
        except Stopped as stopped:
            say(str(stopped))
            return stopped.code
        except Exception as error:
            traceback.print_exc()
            say(f"{type(error).__name__}: {first_line(error)}")
            return FAILED
    print(json.dumps(told, default=str))  # noqa: T201 - the answer
    return 0


if __name__ == "__main__":
    sys.exit(main())
