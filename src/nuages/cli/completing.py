"""What a shell offers on Tab: told from a table of all commands (words.txt) and from names that are kept for a while.

Neither click nor a command is imported for it: a shell asks at each press of the key. The table is made from the
commands themselves, and a test holds it to them. What the shells call is `nuages __complete SHELL WORDS...`, the last
word being the one under the cursor; each answer is a line, value and description with a tab between them, and the last
line says what else may stand there: `:files`, `:folders`, or `:` alone.
"""

from __future__ import annotations

import os

from nuages.cli.main import ours

TYPE_CHECKING = False  # typing costs 4 ms
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NamedTuple

    class Context(NamedTuple):
        """Which spec and which cluster the line means so far."""

        file: str
        environment: str
        context: str

    Names = Callable[[str, Context], list[tuple[str, str]]]
    Found = tuple[list[tuple[str, str]], str]
else:
    from collections import namedtuple

    Context = namedtuple("Context", "file environment context")

TABLE = os.path.join(os.path.dirname(__file__), "words.txt")  # noqa: PTH118, PTH120 - pathlib costs 10 ms
SHELLS = ("bash", "zsh", "fish")
PATHS = ("files", "folders")
ANYTHING = "text"
REST = "rest"
"""An argument after which nothing is an option any more: a command of somebody else's."""


class Option:
    """One option of a command; `kind` says what its value may be, and is empty where it takes none."""

    def __init__(self, names: str, kind: str, about: str) -> None:
        """From its line of the table."""
        self.names = names.split(",")
        self.kind = kind
        self.about = about


class Command:
    """One command, or a group of them: its options, and what its arguments may be, in their order."""

    def __init__(self) -> None:
        """With nothing yet."""
        self.children: list[tuple[str, str]] = []
        self.options: list[Option] = []
        self.arguments: list[str] = []

    def option(self, name: str) -> Option | None:
        """The one that is spelled so."""
        return next((option for option in self.options if name in option.names), None)

    def argument(self, number: int) -> str:
        """What the argument at a place may be; the last one's kind goes on where it ends with an ellipsis."""
        if number < len(self.arguments):
            return self.arguments[number].rstrip(".")
        return self.arguments[-1][:-3] if self.arguments and self.arguments[-1].endswith("...") else ""


def table(text: str) -> dict[str, Command]:
    """All commands by their path: "" is nuages itself, "secrets set" one of a group."""
    commands: dict[str, Command] = {}
    command = Command()
    for line in text.splitlines():
        first, second, *rest = line.split("\t")
        if first:
            command = commands[first.strip()] = Command()
            above, _, name = first.strip().rpartition(" ")
            if name:
                commands[above].children.append((name, second))
        elif second.startswith("-"):
            command.options.append(Option(second, *rest))
        else:
            command.arguments.append(second)
    return commands


def known() -> dict[str, Command]:
    """All of this program's."""
    with open(TABLE, encoding="utf-8") as file:  # noqa: PTH123 - pathlib costs 10 ms
        return table(file.read())


def complete(words: list[str], commands: dict[str, Command], names: Names) -> Found:
    """What may stand where the last word is: values with their descriptions, and the kind of path that may.

    `names` knows those of a project and its cluster.
    """
    *before, current = words
    line = Line(commands)
    if not all(map(line.read, ours(before))):
        return [], ""
    command, context = line.command, line.context
    if line.wanting:
        return _values(line.wanting.kind, current, context, names)
    if current.startswith("-") and not line.rest:
        name, equals, value = current.partition("=")
        if equals:
            option = command.option(name)
            values, paths = _values(option.kind, value, context, names) if option else ([], "")
            return [(f"{name}={found}", about) for found, about in values], paths
        shown = [option for option in command.options if not line.used.intersection(option.names)]
        return _matching(current, [(_spelled(option, current), option.about) for option in shown]), ""
    if command.children:
        return _matching(current, command.children), ""
    return _values(command.argument(line.number), current, context, names)


class Line:
    """A command line, read word by word."""

    def __init__(self, commands: dict[str, Command]) -> None:
        """Before its first word."""
        self._commands = commands
        self._path = ""
        self._said = {"--file": "nuages.yaml", "--environment": "local", "--context": ""}
        self.command = commands[""]
        self.number = 0
        """How many arguments there were."""
        self.wanting: Option | None = None
        """The option whose value comes next."""
        self.used: set[str] = set()
        self.rest = False
        """Whether what follows is somebody else's."""

    @property
    def context(self) -> Context:
        """Which spec and which cluster it means so far."""
        return Context(self._said["--file"], self._said["--environment"], self._said["--context"])

    def read(self, word: str) -> bool:
        """One word more; False where there is no such command."""
        if self.wanting:
            self._said[self.wanting.names[0]] = word
            self.wanting = None
        elif word == "--" and not self.rest:
            self.rest = True
        elif word.startswith("-") and not self.rest:
            self._option(*word.partition("="))
        elif self.command.children:
            self._path = f"{self._path} {word}".strip()
            if self._path not in self._commands:
                return False
            self.command = self._commands[self._path]
        else:
            self.rest = self.rest or self.command.argument(self.number) == REST
            self.number += 1
        return True

    def _option(self, name: str, equals: str, value: str) -> None:
        option = self.command.option(name)
        if option is None:
            return
        self.used.update(option.names)
        if option.kind and equals:
            self._said[option.names[0]] = value
        elif option.kind:
            self.wanting = option


def _spelled(option: Option, current: str) -> str:
    """The long name, unless the short one is what was begun."""
    return next((name for name in option.names if name == current), option.names[0])


def _values(kind: str, current: str, context: Context, names: Names) -> Found:
    if kind in PATHS:
        return [], kind
    if kind in ("", ANYTHING):
        return [], ""
    if kind.startswith("="):
        return _matching(current, [(choice, "") for choice in kind[1:].split("|")]), ""
    if kind == REST:
        return _matching(current, names(kind, context)), "files"
    return _matching(current, names(kind, context)), ""


def _matching(current: str, values: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [value for value in values if value[0].startswith(current)]


def joined(words: list[str]) -> list[str]:
    """The words as they were typed: bash takes `--file=a` and `web:/tmp` apart at `=` and `:`."""
    whole: list[str] = []
    glued = False
    for word in words:
        if whole and word in ("=", ":"):
            whole[-1] += word
            glued = True
        elif glued:
            whole[-1] += word
            glued = False
        else:
            whole.append(word)
    return whole


def main(arguments: list[str]) -> None:
    """Answer a shell; whatever goes wrong, it is told nothing rather than a traceback in the middle of a line."""
    from nuages.cli.names import names

    shell, *words = arguments
    typed = joined(words) if shell == "bash" else words
    commands = known()
    found, paths = complete(typed or [""], commands, names)
    cut = len(typed[-1]) - len(words[-1]) if shell == "bash" and typed else 0
    if shell == "bash" and typed and words[-1] in ("=", ":"):
        cut = len(typed[-1])
    lines = [f"{value[cut:]}\t{about}" for value, about in found]
    print("\n".join([*lines, f":{paths}"]))  # noqa: T201 - the console is not needed for it
