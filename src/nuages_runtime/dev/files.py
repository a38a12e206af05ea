"""The project's folder in the pod: what is in it, and how what comes gets there.

What comes lies aside until all of a change is there; then it takes its places at once, so that no server starts on half
of it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from pathlib import Path

_ASIDE = "arriving"
# What a program has read when it starts, and does not look at again; Django looks at templates and translations.
_READ_ONCE = (".py", ".toml", ".yaml", ".yml", ".cfg", ".ini")


def restarts(path: str) -> bool:
    """Whether a server that runs knows an older state of this file, and would go on with it."""
    return path.endswith(_READ_ONCE)


class Tree:
    """One folder, `aside` being one of ours on the same volume."""

    def __init__(self, root: Path, aside: Path) -> None:
        """Begin with nothing under way."""
        self.root, self._aside = root, aside / _ASIDE
        self._come: dict[str, Path] = {}
        self._go: list[str] = []

    def listing(self) -> dict[str, str]:
        """Per file what it is: its rights and its content as one word; a link is where it leads to."""
        found = {}
        for folder, folders, names in os.walk(self.root):
            folders[:] = [name for name in folders if name != "__pycache__"]
            links = [name for name in folders if (Path(folder) / name).is_symlink()]
            for name in (*names, *links):
                path = Path(folder) / name
                if word := state(path):
                    found[str(path.relative_to(self.root))] = word
        return found

    def put(self, path: str, data: bytes, *, mode: int, first: bool, link: str = "") -> None:
        """Take a part of a file, the `first` or what follows."""
        self._within(path)
        self._aside.mkdir(parents=True, exist_ok=True)
        if first:
            self._come[path] = self._aside / str(len(self._come))
            self._come[path].unlink(missing_ok=True)
        if link:
            self._come[path].symlink_to(link)
            return
        with self._come[path].open("ab") as file:
            file.write(data)
        self._come[path].chmod(0o600 | mode)

    def remove(self, path: str) -> None:
        """A file is to go with the others."""
        self._within(path)
        self._go.append(path)

    def commit(self) -> list[str]:
        """Let all of it take place; answers what changed."""
        for path in self._go:
            gone = self.root / path
            gone.unlink(missing_ok=True)
            _forget(gone)
            self._tidy(gone.parent)
        for path, come in self._come.items():
            place = self.root / path
            if place.is_dir() and not place.is_symlink():  # it was a folder before
                shutil.rmtree(place)
            for above in reversed(place.relative_to(self.root).parents):
                if (self.root / above).is_file():
                    (self.root / above).unlink()
            place.parent.mkdir(parents=True, exist_ok=True)
            come.replace(place)
            _forget(place)
        changed = [*self._go, *self._come]
        self.drop()
        return changed

    def drop(self) -> None:
        """Forget what was under way: whoever sent it is gone."""
        self._come, self._go = {}, []
        shutil.rmtree(self._aside, ignore_errors=True)

    def _within(self, path: str) -> None:
        if Path(path).is_absolute() or ".." in Path(path).parts:
            raise ValueError(f"{path} is not in the project")

    def _tidy(self, folder: Path) -> None:
        """A folder that nothing is left in goes too: Python would take it for a package without a name."""
        while folder != self.root and folder.is_dir() and {one.name for one in folder.iterdir()} <= {"__pycache__"}:
            try:
                shutil.rmtree(folder)
            except OSError:  # a volume is mounted there
                return
            folder = folder.parent


def state(path: Path) -> str:
    """What a file is, as the tool says it too; "" for what is none (a socket, a file of somebody else's)."""
    try:
        known = path.lstat()
        if stat.S_ISLNK(known.st_mode):
            return f"link {path.readlink()}"
        if not stat.S_ISREG(known.st_mode):
            return ""
        digest = hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
    except OSError:
        return ""
    return f"{'x' if known.st_mode & 0o100 else '-'} {digest}"


def _forget(source: Path) -> None:
    """Its byte code: by its time, in whole seconds, and its size two states of a file may look the same."""
    if source.suffix == ".py":
        for compiled in source.parent.glob(f"__pycache__/{source.stem}.*.pyc"):
            compiled.unlink(missing_ok=True)
