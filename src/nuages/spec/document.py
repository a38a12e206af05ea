"""Reads YAML 1.2 text into plain values and remembers where each of them was written.

PyYAML reads YAML 1.1, in which `no` is false and 0755 is 493. So it only builds the tree of nodes here; what a
plain word means is decided by YAML 1.2's core schema (https://yaml.org/spec/1.2.2/#103-core-schema), which is
short: null, true, false, numbers. Anchors and aliases are YAML and work, each use being a copy. Merge keys (`<<`)
and tags were YAML 1.1 or are for programs: refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import yaml

from nuages.findings import Finding, Level, Place

Scalar: TypeAlias = "str | int | float | bool | None"
Value: TypeAlias = "Scalar | list[Value] | dict[str, Value]"
Path = tuple[str | int, ...]

# Aliases multiply: nine lines can stand for a billion values. Far above what a spec needs, far below what hurts.
MOST_VALUES = 20_000

_CORE: list[tuple[re.Pattern[str], Callable[[str], Scalar]]] = [
    (re.compile(r"|~|null|Null|NULL"), lambda text: None),
    (re.compile(r"true|True|TRUE"), lambda text: True),
    (re.compile(r"false|False|FALSE"), lambda text: False),
    # Longer ones are no number of anything here, and Python refuses to read them.
    (re.compile(r"[-+]?[0-9]{1,18}"), int),
    (re.compile(r"0o[0-7]+"), lambda text: int(text, 8)),
    (re.compile(r"0x[0-9a-fA-F]+"), lambda text: int(text, 16)),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), lambda text: _whole(float(text))),
]
# What mostly was meant, by what the parser says.
_MEANT = {
    "cannot start any token": "a text that begins so stands in quotes",
    "mapping values are not allowed": 'a text with ": " in it stands in quotes; else the line is indented too far',
}
_PLAIN_TAGS = {f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map")}


class Mark(NamedTuple):
    """Where a key and its value were written, lines and columns from 1; entries of lists have no key of their own."""

    key: tuple[int, int]
    value: tuple[int, int]


class Document(NamedTuple):
    """What a file says, where it says it, and how its scalars were spelled (3.10 is the number 3.1)."""

    file: str
    value: Value
    marks: dict[Path, Mark]
    written: dict[Path, str]

    def place(self, path: Path, *, key: bool = False) -> Place:
        """Where a path is, or the nearest thing above it; a scalar stands for what shorthand made of it."""
        at = path
        while at not in self.marks and at:
            at = at[:-1]
        mark = self.marks.get(at, Mark((1, 1), (1, 1)))
        line, column = mark.key if key or (at != path and at not in self.written) else mark.value
        return Place(self.file, line, column, dotted(path))


def dotted(path: Path) -> str:
    """web.main.replicas, expose.hosts[0]."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{visible(part)}" for part in path).lstrip(".")


def visible(text: str) -> str:
    """A text on one line, with what nobody would see in it spelled out: a no-break space looks like a space."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def read(raw: bytes, file: str) -> tuple[Document, list[Finding]]:
    """The document in a file's bytes, as far as it can be read, and what is wrong with it as YAML."""
    reader = _Reader(file)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - (raw.rfind(b"\n", 0, error.start) + 1) + 1
        reader.finding("spec.E002", "not UTF-8", (line, column), hint="save the file as UTF-8")
        return reader.document(None), reader.findings
    try:
        nodes = list(yaml.compose_all(text, Loader=yaml.BaseLoader))
    except yaml.YAMLError as error:
        reader.syntax(error, text)
        return reader.document(None), reader.findings
    except RecursionError:
        reader.finding("spec.E001", "not YAML: nested without end", (1, 1))
        return reader.document(None), reader.findings
    if not nodes or (isinstance(nodes[0], yaml.ScalarNode) and not nodes[0].value):
        reader.finding("spec.E003", "nothing in it", (1, 1), hint="`nuages init` writes one for your project")
        return reader.document(None), reader.findings
    if len(nodes) > 1:
        reader.finding(
            "spec.E004",
            "a second document begins here",
            _at(nodes[1]),
            hint="one file, one app; environments go below `environments`",
        )
    return reader.document(reader.value(nodes[0], (), ())), reader.findings


class _Reader:
    """Walks a tree of nodes once, collecting values, marks and findings."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.findings: list[Finding] = []
        self.marks: dict[Path, Mark] = {}
        self.written: dict[Path, str] = {}
        self.count = 0

    def document(self, value: Value) -> Document:
        return Document(self.file, value, self.marks, self.written)

    def finding(self, code: str, message: str, at: tuple[int, int], *, path: Path = (), hint: str = "") -> None:
        self.findings.append(Finding(code, Level.ERROR, message, Place(self.file, *at, dotted(path)), hint))

    def syntax(self, error: yaml.YAMLError, text: str) -> None:
        if isinstance(error, yaml.reader.ReaderError):
            before = text[: error.position]
            at = (before.count("\n") + 1, error.position - (before.rfind("\n") + 1) + 1)
            hint = "nothing but text belongs here: leave it out"
            self.finding("spec.E001", f"not YAML: the character U+{error.character:04X}", at, hint=hint)
            return
        mark = getattr(error, "problem_mark", None)
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        lines = text.splitlines()
        indent = re.match(r"[ \t]*", lines[line - 1]) if line <= len(lines) else None
        if indent and "\t" in indent.group():
            at = (line, indent.group().index("\t") + 1)
            self.finding("spec.E001", "a tab in the indentation", at, hint="YAML is indented by spaces only")
            return
        problem = getattr(error, "problem", None) or str(error)
        context, began = getattr(error, "context", None), getattr(error, "context_mark", None)
        hint = next((said for words, said in _MEANT.items() if words in problem), context or "")
        if began and problem.endswith("end of stream"):
            line, column = began.line + 1, began.column + 1  # what was never closed, rather than where the file ends
        elif began and context and began.line + 1 != line:
            hint = f"{hint}, which begins in line {began.line + 1}"
        self.finding("spec.E001", f"not YAML: {problem}", (line, column), hint=hint)

    def value(self, node: yaml.Node, path: Path, above: tuple[yaml.Node, ...]) -> Value:
        """The value of a node at a path; `above` are the nodes it is in, to see an alias that contains itself."""
        self.marks.setdefault(path, Mark(_at(node), _at(node)))
        self.count += 1
        if node in above or self.count == MOST_VALUES:
            self.finding("spec.E009", "an alias that contains itself, or grows without end", _at(node), path=path)
        if node in above or self.count >= MOST_VALUES:
            return None
        if node.tag not in _PLAIN_TAGS:
            self.finding("spec.E008", f"the tag {node.tag} means nothing here", _at(node), path=path)
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path, (*above, node))
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, index), (*above, node)) for index, item in enumerate(node.value)]
        text = str(node.value)
        self.written[path] = text
        return _plain(text) if isinstance(node, yaml.ScalarNode) and node.style is None else text

    def mapping(self, node: yaml.MappingNode, path: Path, above: tuple[yaml.Node, ...]) -> dict[str, Value]:
        """The entries of a mapping; keys are taken as written, so that `no:` and `80:` are words."""
        entries: dict[str, Value] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self.finding("spec.E006", "a key that is not a word", _at(key), path=path)
                continue
            name = key.value
            here = (*path, name)
            if name == "<<" and key.style is None:
                hint = "merge keys ended with YAML 1.1; write the fields out, or use an environment's patch"
                self.finding("spec.E007", "a merge key", _at(key), path=path, hint=hint)
            elif name in entries:
                first = self.marks[here].key[0]
                self.finding("spec.E005", f"written twice, first in line {first}", _at(key), path=here)
            else:
                self.marks[here] = Mark(_at(key), _at(value))
                entries[name] = self.value(value, here, above)
        return entries


def _at(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _whole(number: float) -> float | int:
    """2.0 is the whole number 2, as JSON Schema has it too."""
    return int(number) if number.is_integer() and abs(number) < 10**18 else number


def _plain(text: str) -> Scalar:
    for pattern, convert in _CORE:
        if pattern.fullmatch(text):
            return convert(text)
    return text
