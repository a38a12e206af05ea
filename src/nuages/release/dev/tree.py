"""The project's files here, those that go into an image, and what is to be sent so that the pod has the same."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from nuages.image import ignore

# What editors leave for the moment of saving: vim, emacs, JetBrains.
_PASSING = re.compile(r".*~|4913|\.#.*|#.*#|\..*\.sw[a-z]|.*___jb_(tmp|old)___")

Listing = Mapping[str, str]
"""Per path what the file is, as nuages_runtime.dev.files.state says it."""


class Change(NamedTuple):
    """What differs."""

    put: tuple[str, ...]
    remove: tuple[str, ...]

    def __bool__(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.put or self.remove)

    @property
    def words(self) -> str:
        """In a few words: the file, or how many."""
        paths = [*self.put, *self.remove]
        return paths[0] if len(paths) == 1 else f"{len(paths)} files"


def difference(here: Listing, there: Listing, ours: Callable[[str], bool]) -> Change:
    """What has to be sent; what is only there goes where it is `ours`: not what the build of an image made."""
    put = tuple(path for path, word in here.items() if there.get(path) != word)
    return Change(put, tuple(path for path in there if path not in here and ours(path)))


class Project:
    """The files of one project; looked at again and again, and read only where their time or size changed."""

    def __init__(self, root: Path, without: tuple[Path, ...] = ()) -> None:
        """Nothing is read yet; `without` folders that have an image of their own."""
        self.root = root
        self._without = tuple(f"{folder.relative_to(root).as_posix()}/" for folder in without if folder != root)
        self._known: dict[str, tuple[tuple[int, int, int], str]] = {}

    def listing(self) -> dict[str, str]:
        """What there is now."""
        found = {}
        for path in ignore.select(self.root).files:
            if path.startswith(self._without):
                continue
            if not _PASSING.fullmatch(PurePosixPath(path).name) and (word := self._state(path)):
                found[path] = word
        self._known = {path: known for path, known in self._known.items() if path in found}
        return found

    def folders(self) -> list[Path]:
        """All folders in which a file would count: those to watch. Not what is left out: node_modules has thousands."""
        left_out = {path.rstrip("/") for path in self._without}
        left_out |= {path.rstrip("/") for path in ignore.select(self.root).left_out if path.endswith("/")}
        watched = []
        for folder, folders, _ in os.walk(self.root):
            here = Path(folder).relative_to(self.root)
            folders[:] = [name for name in folders if str(here / name) not in left_out]
            watched.append(Path(folder))
        return watched

    def ours(self, here: Listing) -> Callable[[str], bool]:
        """Whether a file that is only in the pod was one of the project's: its folder is here, and no rule leaves it
        out. What an image's build made is in folders of its own, or is left out of what people keep.
        """
        folders = {str(PurePosixPath(path).parent) for path in here}
        return lambda path: str(PurePosixPath(path).parent) in folders and ignore.takes(self.root, path)

    def read(self, path: str) -> tuple[bytes, int, str]:
        """A file's content, its rights, and where it leads to if it is a link."""
        file = self.root / path
        known = file.lstat()
        if stat.S_ISLNK(known.st_mode):
            return b"", 0o777, str(file.readlink())
        return file.read_bytes(), stat.S_IMODE(known.st_mode), ""

    def _state(self, path: str) -> str:
        file = self.root / path
        try:
            known = file.lstat()
            if stat.S_ISLNK(known.st_mode):
                return f"link {file.readlink()}"
            seen = (known.st_mtime_ns, known.st_size, known.st_mode)
            if path in self._known and self._known[path][0] == seen:
                return self._known[path][1]
            digest = hashlib.blake2b(file.read_bytes(), digest_size=16).hexdigest()
        except OSError:  # it went away meanwhile
            return ""
        word = f"{'x' if known.st_mode & 0o100 else '-'} {digest}"
        self._known[path] = seen, word
        return word
