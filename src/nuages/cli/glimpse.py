"""What is asked most often, answered without anything that is slow to import: `status`, `releases`, `logs`, `exec`,
`config explain`.

What a command line leads to (which namespace of which cluster) follows from files; so it is kept in the cache beside
what tells that these files are the same (cli/recalled.py). The rest is one connection (kube/glance.py) and what came
back (cli/glimpsed.py), or goes both ways (cli/entered.py). Where that is not enough (an option it does not know, a file
that changed, something not well), the command goes its whole way, which explains.
"""

from __future__ import annotations

import sys

from nuages.cli.recalled import recall

TYPE_CHECKING = False  # typing costs 4 ms
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from nuages.cli.glimpsed import Told

_COMMON = {"-e": "environment", "--environment": "environment", "-f": "file", "--file": "file", "--context": "context"}
_LOGS = {name: name for name in ("--since", "--tail", "--grep", "--request", "--release")}
COMMANDS: dict[str, tuple[dict[str, str], set[str]]] = {
    "status": ({}, {"--json"}),
    "releases": ({}, {"--json"}),
    "logs": (_LOGS, {"--previous", "--raw", "--json"}),
    "exec": ({"-c": "container", "--container": "container"}, set()),
}
"""Which of their options are known here: those that take a value, by a name, and those that take none."""


class Words:
    """A command line, taken apart."""

    def __init__(self, options: dict[str, str]) -> None:
        """Nothing said so far; `options` are those that take a value."""
        self.options = {**_COMMON, **options}
        self.given = {"file": "nuages.yaml", "environment": "local", "context": ""}
        self.flags: set[str] = set()
        self.names: list[str] = []


def glimpse(command: str, arguments: list[str]) -> int | None:
    """Answer a command, where that is quickly done, with its exit code; None where nothing was shown."""
    if command == "config":
        return 0 if _explained(arguments) else None
    words = read(command, arguments)
    kept = recall(words.given["file"], words.given["environment"], words.given["context"]) if words else None
    if words is None or kept is None:
        return None
    import gc

    gc.disable()  # what is imported stays: looking through it for garbage takes longer than all the rest is worth
    try:
        if command == "exec":
            from nuages.cli.entered import entered

            return entered(kept, words)
        return 0 if _told(command, kept, words) else None
    finally:
        gc.enable()


def _told(command: str, kept: dict[str, Any], words: Words) -> bool:
    """Tell what is to be seen; False where nothing was."""
    import re

    from nuages.cli import glimpsed
    from nuages.errors import NuagesError
    from nuages.kube.glance import NotSeen

    telling: Callable[[dict[str, Any], Words], Told | None] = getattr(glimpsed, command)
    try:
        told = telling(kept, words)
    # Whatever is wrong, the whole way says it: an odd answer has nothing where an object belongs.
    except (NotSeen, NuagesError, AttributeError, LookupError, TypeError, ValueError, re.error):
        told = None
    if told is None:
        return False
    sys.stdout.write(told.out)
    sys.stdout.flush()
    sys.stderr.write(told.err)
    return True


def _explained(arguments: list[str]) -> bool:
    """A page of `config explain`, which needs neither a file nor a cluster."""
    flags = {"-r", "--recursive", "--json"} & {*arguments[1:]}
    paths = [word for word in arguments[1:] if word not in flags]
    if arguments[:1] != ["explain"] or len(paths) > 1 or any(path.startswith("-") for path in paths):
        return False
    from nuages.cli.explained import explained
    from nuages.cli.wording import paint
    from nuages.errors import UsageError

    recursive = bool(flags & {"-r", "--recursive"})
    try:
        lines = [*explained("".join(paths), paint(sys.stdout), recursive=recursive, as_json="--json" in flags)]
    except UsageError:  # the whole way says it
        return False
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()
    return True


def read(command: str, arguments: list[str]) -> Words | None:
    """A command line, by the options that are known; None where a word is none of these."""
    options, flags = COMMANDS[command]
    found = Words(options)
    words = iter(arguments)
    for word in words:
        name, equals, value = word.partition("=")
        if word in flags:
            found.flags.add(word)
        elif name in found.options:
            if equals and not name.startswith("--"):
                return None
            value = value if equals else next(words, "")
            if not value:
                return None
            found.given[found.options[name]] = value
        elif word.startswith("-"):
            return None
        else:
            found.names.append(word)
            if command == "exec":  # the rest is the other program's
                found.names += words
    return found
