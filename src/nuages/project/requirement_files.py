"""Requirements files as one list: includes put in their place, constraints beside it, options of pip's understood.

Format: https://pip.pypa.io/en/stable/reference/requirements-file-format/
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from nuages.errors import Refused

_INCLUDE = re.compile(r"^(-r|-c|--requirement|--constraint)[\s=]*(\S.*)$")
_INDEX = re.compile(r"^(-i|--index-url|--pypi-url|--extra-index-url|-f|--find-links)[\s=]*(\S+)$")
_LOCAL = re.compile(r"^(-e|--editable)[\s=]*(\S.*)$")
_WORDS = {"--pypi-url": "--index-url", "-i": "--index-url", "-f": "--find-links"}
# The public index under its present name, its former one, and that of its files: what is used anyway.
_PUBLIC = re.compile(r"^https?://(pypi(\.python)?|files\.pythonhosted)\.org(/simple|/pypi)?/?$")


class Listed(NamedTuple):
    """What requirements files say together."""

    files: tuple[str, ...]
    """All files that were read, relative to the folder; one above it begins with `..`."""
    lines: tuple[str, ...] = ()
    """Requirements, hashes included, one a line; local paths are relative to the folder."""
    constraints: tuple[str, ...] = ()
    indexes: tuple[str, ...] = ()
    """`--index-url URL` and the like as written, with credentials and `${VARIABLES}`; the public index is left out."""
    options: tuple[str, ...] = ()
    """Other options of pip's that stand in a file of its own: --pre, --no-binary …."""
    problems: tuple[Refused, ...] = ()
    """Why this can't be installed: a file that includes itself, or one that is not there. The rest was read."""


def read(root: Path, name: str) -> Listed:
    """A requirements file of the project in a folder, and all that it includes, each once."""
    files: list[str] = []
    problems: list[Refused] = []
    sorted_out: dict[str, list[str]] = {"lines": [], "constraints": [], "indexes": [], "options": []}
    for kind, line in _read(root, root / name, "lines", files, problems=problems, above=()):
        sorted_out[kind].append(line)
    once = {kind: tuple(dict.fromkeys(lines)) for kind, lines in sorted_out.items()}
    return Listed(tuple(dict.fromkeys(files)), problems=tuple(problems), **once)


def lines(path: Path) -> list[str]:
    """The logical lines of a requirements file: comments gone, continued ones joined. UTF-16 as PowerShell writes it
    is understood.
    """
    content = path.read_bytes()
    encoding = "utf-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    text = content.decode(encoding, errors="replace").replace("\r\n", "\n")
    # A comment between two continued lines ends neither.
    text = re.sub(r"\\\n(?:\s*#[^\n]*\n)*", " ", text)
    return [re.sub(r"(^|\s)#.*$", "", line).strip() for line in text.splitlines()]


def index(option: str, url: str) -> str | None:
    """An index option with its long name; None for the public index, for which this machine may have another."""
    return None if _PUBLIC.match(url) else f"{_WORDS.get(option, option)} {url}"


def hosts(indexes: Iterable[str]) -> tuple[str, ...]:
    """The indexes without what is nobody's business: no user, no password, no query."""
    found = []
    for line in indexes:
        url = line.partition(" ")[2] or line
        parts = urlsplit(url)
        host = (parts.netloc.rpartition("@")[2]) if parts.scheme else ""
        found.append(f"{parts.scheme}://{host}{parts.path}" if host else url)
    return tuple(dict.fromkeys(found))


def _read(
    root: Path, path: Path, kind: str, files: list[str], *, problems: list[Refused], above: tuple[Path, ...]
) -> Iterator[tuple[str, str]]:
    path = path.resolve()
    name = named(path, root)
    files.append(name)
    for number, line in enumerate(lines(path), 1):
        if included := _INCLUDE.match(line):
            into = "constraints" if included[1] in ("-c", "--constraint") else kind
            target = (path.parent / included[2].strip("'\"")).resolve()
            place = f"{name}:{number}"
            if "://" in included[2]:
                problem = f"{name} includes a file from the network"
                problems.append(Refused(problem, place=place, hint="put it into the project"))
            elif target in (*above, path):
                problem = f"{name} includes {included[2]}, which includes it again"
                problems.append(Refused(problem, place=place, hint="remove one of the -r lines"))
            elif not target.is_file():
                problems.append(Refused(f"{name} includes {included[2]}, which is not there", place=place))
            else:
                yield from _read(root, target, into, files, problems=problems, above=(*above, path))
        elif option := _INDEX.match(line):
            if said := index(option[1], option[2]):
                yield "indexes", said
        elif local := _LOCAL.match(line):
            yield kind, f"-e {local[2]}"
        elif line.startswith("-"):
            yield "options", line
        elif line:
            yield kind, line


def named(path: Path, root: Path) -> str:
    """A path relative to a folder, also where it lies above."""
    root = root.resolve()
    up = next((count for count, folder in enumerate((root, *root.parents)) if path.is_relative_to(folder)), 0)
    return "../" * up + str(path.relative_to((root, *root.parents)[up]))
