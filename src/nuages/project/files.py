"""The files of a project: listed once, without what others put there, read when they are asked for."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from nuages.project.ignored import SKIPPED

# A repository of any size is listed within a second; what comes later is not looked at.
MOST = 50_000
_TESTS = re.compile(r"(^|/)(tests?|testing|e2e|fixtures|conftest\.py|test_[^/]*\.py|[^/]*_tests?\.py|tests_[^/]*)(/|$)")
_OLD = re.compile(r"(^|/)migrations/")


class Files:
    """The files below a folder, as paths relative to it in a fixed order; links to folders are not followed."""

    def __init__(self, root: Path) -> None:
        """Nothing is read yet."""
        self.root = root
        self._texts: dict[str, str] = {}
        self._bytes: dict[str, bytes] = {}

    @cached_property
    def all(self) -> tuple[str, ...]:
        """Every file's path, folders of tools and installed packages left out."""
        found: list[str] = []
        for folder, folders, files in os.walk(self.root):
            folders[:] = sorted(each for each in folders if each not in SKIPPED and not _virtual(Path(folder, each)))
            below = os.path.relpath(folder, self.root)
            found += [file if below == "." else f"{below}/{file}" for file in sorted(files)]
            if len(found) > MOST:
                break
        return tuple(found)

    @cached_property
    def python(self) -> tuple[str, ...]:
        """The modules that are run in production: no tests, no migrations."""
        return tuple(
            file for file in self.all if file.endswith(".py") and not _TESTS.search(file) and not _OLD.search(file)
        )

    def named(self, *names: str) -> Iterator[str]:
        """The files with one of these names, those nearest to the root first."""
        found = [file for file in self.all if file.rpartition("/")[2] in names]
        return iter(sorted(found, key=lambda file: (file.count("/"), file)))

    def has(self, file: str) -> bool:
        """Whether there is such a file."""
        return (self.root / file).is_file()

    def text(self, file: str) -> str:
        """A file's text; "" where it can't be read. Bytes that are no UTF-8 are replaced."""
        if file not in self._texts:
            try:
                self._texts[file] = (self.root / file).read_text(encoding="utf-8", errors="replace")
            except OSError:
                self._texts[file] = ""
        return self._texts[file]

    def lines(self, file: str) -> Iterator[tuple[int, str]]:
        """A file's lines, numbered from 1."""
        return enumerate(self.text(file).splitlines(), 1)

    def search(self, pattern: re.Pattern[bytes], files: tuple[str, ...] | None = None) -> Iterator[str]:
        """The production modules (or these files) in which a pattern occurs."""
        for file in self.python if files is None else files:
            if pattern.search(self._content(file)):
                yield file

    def _content(self, file: str) -> bytes:
        if file not in self._bytes:
            try:
                self._bytes[file] = (self.root / file).read_bytes()
            except OSError:
                self._bytes[file] = b""
        return self._bytes[file]


def module_of(file: str) -> str:
    """The dotted name of a module's file: "shop/asgi/__init__.py" is shop.asgi."""
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def importable(file: str) -> bool:
    """Whether Python can import a file by name: production.example.py can't be."""
    return all(part.isidentifier() for part in module_of(file).split("."))


def _virtual(folder: Path) -> bool:
    """A virtual environment of whatever name."""
    return (folder / "pyvenv.cfg").exists()
