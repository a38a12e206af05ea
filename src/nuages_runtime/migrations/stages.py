"""How a migration runs while a release serves: what it adds is added so that nobody is blocked, what it takes away is
relaxed and journaled.

    with staged(connection, running, release, log):      patches this process only, until the body ends
        call_command("migrate", ...)

    running   the facts of the database's part of the serving release (`wanted`, `known`), None where nothing runs

    editor.py    statements in a form that blocks nobody        steps.py    what runs after the commit, one by one
    journal.py   what is left to do                             relax.py    what the old schema must stop to demand
"""

from __future__ import annotations
