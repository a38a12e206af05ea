"""migrated(raw): the text of a nuages.yaml in the newest form, with its comments and its layout as they were.

Nothing is parsed and printed anew: each change is an edit of the text at the very place where a name or a value stands
(the document knows line and column of each). What a version changes is data: a chain of versions, each with its
changes, so that a file of any age goes the whole way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from nuages.errors import SpecInvalid
from nuages.findings import Finding, Level, Place, errors
from nuages.spec import schema
from nuages.spec.document import Document, Path, Value, read
from nuages.spec.environments import merged
from nuages.spec.shorthand import canonical
from nuages.spec.validate import Mistake, mistakes

CURRENT = "nuages/v1"
_NUMBERED = re.compile(r"nuages/v([0-9]+)")


class Rename(NamedTuple):
    """A field has another name; `*` in its path is any name."""

    path: tuple[str, ...]
    name: str


class Respell(NamedTuple):
    """A word of a field is another one."""

    path: tuple[str, ...]
    words: dict[str, str]


class Version(NamedTuple):
    """An earlier form of the file: which came after it, and what changed."""

    then: str
    changes: tuple[Rename | Respell, ...]


VERSIONS: dict[str, Version] = {}
"""Each earlier form by its apiVersion. There was none before the first."""


class Edit(NamedTuple):
    """One change of the text: at a line and a column, both from 1, one word for another."""

    line: int
    column: int
    old: str
    new: str
    path: Path
    why: str


class Migrated(NamedTuple):
    """A file in the newest form, and what was changed."""

    text: str
    edits: list[Edit]


def judged(api_version: Value, place: Place) -> Finding | None:
    """What is wrong with a file of another form than this nuages reads; None for its own."""
    if not isinstance(api_version, str) or api_version == CURRENT:
        return None
    if api_version in VERSIONS:
        message = f"{api_version} is an earlier form of this file"
        return Finding("spec.E261", Level.ERROR, message, place, "nuages config migrate brings it up to date")
    number, ours = _NUMBERED.fullmatch(api_version), _NUMBERED.fullmatch(CURRENT)
    if number and ours and int(number[1]) > int(ours[1]):
        message = f"{api_version} is a later form of this file than this nuages knows, which is {CURRENT}"
        return Finding("spec.E260", Level.ERROR, message, place, "take a newer nuages")
    return None


def migrated(raw: bytes, file: str) -> Migrated:
    """The file as it is to be: in the newest form, and misspelled names as they were meant.

    Raises:
        SpecInvalid: it is no YAML, or of a form that is not known.
    """
    edits: list[Edit] = []
    document = _read(raw, file)
    text = raw.decode("utf-8-sig")
    while (said := _version(document)) in VERSIONS:
        version = VERSIONS[said]
        found = [*_changed(document, version.changes), *_stamped(document, said, version.then)]
        text = applied(text, found)
        edits += found
        document = _read(text.encode(), file)
    if wrong := judged(_version(document), document.place(("apiVersion",))):
        raise SpecInvalid("1 finding, nothing was touched.", findings=[wrong])
    meant = _alone(document, list(_meant(document)))
    return Migrated(applied(text, meant), [*edits, *meant])


def applied(text: str, edits: list[Edit]) -> str:
    """The text with each edit made, from its end, so that none moves the place of another; what several paths lead to
    (`&anchor`, `*alias`) is one place.
    """
    lines = text.split("\n")
    for _, edit in sorted({(one.line, one.column): one for one in edits}.items(), reverse=True):
        line = lines[edit.line - 1]
        start = edit.column - 1 + (line[edit.column - 1 : edit.column] in ("'", '"'))
        if line[start:].startswith(edit.old):
            lines[edit.line - 1] = line[:start] + edit.new + line[start + len(edit.old) :]
    return "\n".join(lines)


def _read(raw: bytes, file: str) -> Document:
    document, findings = read(raw, file)
    if wrong := errors(findings):
        raise SpecInvalid(f"{len(wrong)} finding{'s' if len(wrong) != 1 else ''}, nothing was touched.", findings=wrong)
    return document


def _version(document: Document) -> str:
    said = document.value.get("apiVersion", CURRENT) if isinstance(document.value, dict) else CURRENT
    return str(said)


def _changed(document: Document, changes: tuple[Rename | Respell, ...]) -> Iterator[Edit]:
    """What a version changes, in the base and in each environment's patch."""
    for path in document.marks:
        within = path[2:] if path[:1] == ("environments",) else path
        for change in changes:
            if not _fits(within, change.path):
                continue
            if isinstance(change, Rename):
                yield _edit(document, path, str(path[-1]), change.name, "renamed", key=True)
            elif (word := document.written.get(path)) in change.words:
                yield _edit(document, path, str(word), change.words[str(word)], "another word", key=False)


def _stamped(document: Document, old: str, new: str) -> Iterator[Edit]:
    """The file's own word for its form."""
    if ("apiVersion",) in document.marks:
        yield _edit(document, ("apiVersion",), old, new, "the form of this file", key=False)


def _meant(document: Document) -> Iterator[Edit]:
    """Names and words that are none, and near to one: as they were meant."""
    whole = canonical(document)
    environments = whole.pop("environments", None)
    found, _ = mistakes(whole, schema.base)
    yield from (edit for mistake in found for edit in _as_meant(document, (), mistake))
    for name, patch in environments.items() if isinstance(environments, dict) else ():
        one = merged(whole, patch)
        found, _ = mistakes(one if isinstance(one, dict) else {}, schema.environment)
        yield from (edit for mistake in found for edit in _as_meant(document, ("environments", name), mistake))


def _alone(document: Document, edits: list[Edit]) -> list[Edit]:
    """Without what would have two fields of one name: which of them was meant, only its author knows."""
    names = [(*edit.path[:-1], edit.new) for edit in edits if edit.path[-1:] == (edit.old,)]
    return [
        edit
        for edit in edits
        if edit.path[-1:] != (edit.old,)
        or ((name := (*edit.path[:-1], edit.new)) not in document.marks and names.count(name) == 1)
    ]


def _as_meant(document: Document, prefix: Path, mistake: Mistake) -> Iterator[Edit]:
    path = (*prefix, *mistake.path)
    if not mistake.meant or path not in document.marks:
        return
    if mistake.at_key:
        yield _edit(document, path, str(mistake.path[-1]), mistake.meant, "misspelled", key=True)
    elif path in document.written:
        yield _edit(document, path, document.written[path], mistake.meant, "misspelled", key=False)


def _edit(document: Document, path: Path, old: str, new: str, why: str, *, key: bool) -> Edit:
    mark = document.marks[path]
    line, column = mark.key if key else mark.value
    return Edit(line, column, old, new, path, why)


def _fits(path: Path, pattern: tuple[str, ...]) -> bool:
    return len(path) == len(pattern) and all(part in ("*", key) for part, key in zip(pattern, path, strict=True))
