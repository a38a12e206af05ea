"""Hints that can be typed as they stand: a command in one names the environment that was asked for.

`nuages deploy`, hinted at amid `nuages status -e production`, would deploy `local`. What says hints knows the command
that helps; for whom it was asked is known here, from the line that was typed.
"""

from __future__ import annotations

import re
import sys

from nuages.cli import completing

_COMMAND = re.compile(r"\bnuages((?: (?!nuages\b)[a-z][a-z-]*)+)")
_NAMED = re.compile(r"[^;,]*?\s(?:-e|--environment)\b")
"""That the same command goes on to name one; the next begins behind a comma or a semicolon."""


def hinted(text: str, environment: str | None = None) -> str:
    """A hint whose commands name the environment; left out, that of the command line. `local` goes unsaid."""
    if "nuages " not in text:
        return text
    commands = completing.known()
    named = _asked(commands) if environment is None else environment
    return _COMMAND.sub(lambda found: _with(found, named, commands), text) if named != "local" else text


def _with(found: re.Match[str], environment: str, commands: dict[str, completing.Command]) -> str:
    words = found[1].split()
    paths = (" ".join(words[:count]) for count in range(len(words), 0, -1))
    path = next((path for path in paths if path in commands), "")
    command = commands[path]
    rest = found[0].removeprefix(f"nuages {path}")
    if not path or command.option("-e") is None or _NAMED.match(rest + found.string[found.end() :]):
        return found[0]
    return f"nuages {path} -e {environment}{rest}"


def _asked(commands: dict[str, completing.Command]) -> str:
    """The environment of the line that was typed."""
    line = completing.Line(commands)
    for word in sys.argv[1:]:
        if not line.read(word):
            break
    return line.context.environment
