"""The fast part of an image: the project's own files as entries of layers. Pure but for reading the folders it is
given.

The project's own programs have written into these folders, and what is read here is read with this machine's rights: so
no link is followed, and nothing is opened that is no file.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import shutil
import stat
from collections.abc import Container, Iterable, Iterator
from pathlib import Path, PurePosixPath

from nuages.errors import BuildFailed
from nuages.image.tarballs import Entry, tree

# Read by Python's site module at each start: the older name and the newer one (PEP 829).
HOOKS = ("nuages.pth", "nuages.start")


def stage(root: Path, files: Iterable[str], to: Path) -> None:
    """Copy the project's files into an empty folder: what is built is what was there at one moment, without ignored
    files.
    """
    for name in files:
        target = to / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, target, follow_symlinks=False)


def digests(root: Path, files: Iterable[str]) -> list[str]:
    """Per file its name, its mode as far as a layer keeps it, and its content's digest."""
    found = []
    for name in files:
        path = root / name
        if path.is_symlink():
            found.append(f"{name}::{hashlib.sha256(os.fsencode(path.readlink())).hexdigest()}")
            continue
        with path.open("rb") as content:
            executable = "x" if os.fstat(content.fileno()).st_mode & 0o111 else ""
            found.append(f"{name}:{executable}:{hashlib.file_digest(content, 'sha256').hexdigest()}")
    return found


def written(stage: Path, root: Path, files: Iterable[str], dropped: Container[str]) -> Iterator[str]:
    """The files that a program made or changed in a staged copy of a project, sorted; folders called like one of
    `dropped` are left out.
    """
    known = set(files)
    for folder, folders, names in os.walk(stage):
        folders[:] = sorted(name for name in folders if name not in dropped)
        here = Path(folder)
        links = [name for name in folders if (here / name).is_symlink()]
        for name in sorted([*names, *links]):
            path = here / name
            relative = str(path.relative_to(stage))
            if _kind(path) and (relative not in known or not _same(path, root / relative)):
                yield relative


def lay(folder: Path, over: Path) -> None:
    """Copy everything below a folder into another one; what lies there under the same name goes, be it a link."""
    for found, folders, names in os.walk(folder):
        here, there = Path(found), over / Path(found).relative_to(folder)
        _clear(there, for_folder=True)
        there.mkdir(exist_ok=True)
        for name in [*names, *(name for name in folders if (here / name).is_symlink())]:
            _clear(there / name)
            shutil.copy2(here / name, there / name, follow_symlinks=False)


def make(stage: Path, name: str) -> None:
    """Make a folder of a staged project; nothing is made where a link of the project leads out of it."""
    if (stage / name).resolve().is_relative_to(stage.resolve()):
        (stage / name).mkdir(parents=True, exist_ok=True)


def _clear(path: Path, *, for_folder: bool = False) -> None:
    """Remove what is in the way of a file or a folder."""
    if path.is_dir() and not path.is_symlink():
        if not for_folder:
            shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _same(one: Path, other: Path) -> bool:
    """Whether a staged file is as it was copied."""
    if one.is_symlink() or other.is_symlink():
        return one.is_symlink() and other.is_symlink() and one.readlink() == other.readlink()
    now, then = one.stat(), other.stat()
    return (now.st_mtime_ns, now.st_size) == (then.st_mtime_ns, then.st_size)


def project(folder: Path, files: Iterable[str], into: str, without: Iterable[str | None]) -> list[Entry]:
    """The project's files below the folder `into`, as far as they are still there; left out are the folders `without`
    (collected files, uploads).

    Raises:
        BuildFailed: a folder of the project has become a link, which may lead anywhere.
    """
    below = into.strip("/")
    dropped = tuple(f"{_plain(name)}/" for name in without if name)
    # MEDIA_ROOT = BASE_DIR: uploads lie among the code, which stays.
    dropped = tuple(name for name in dropped if not f"{below}/".startswith(name))
    entries = {below: Entry(below)}
    known: set[PurePosixPath] = set()
    for name in files:
        path = f"{below}/{name}"
        if path.startswith(dropped):
            continue
        for above in parents(name):
            if above not in known:
                _refuse_link(folder / above, str(above))
                known.add(above)
        if kind := _kind(folder / name):
            entries |= {str(above): Entry(str(above)) for above in parents(path)}
            entries[path] = _file(folder / name, path) if kind == "file" else _link(folder / name, path)
    return list(entries.values())


def bytecode(folder: Path, into: str, at: str = "") -> Iterator[Entry]:
    """What Python compiled with its cache prefix set to `folder`, put where Python looks for it without: in
    __pycache__. `at` is where the sources below `into` lie in the image, where that is another place.

    `folder/app/blog/urls.cpython-313.pyc` -> `app/blog/__pycache__/urls.cpython-313.pyc`.

    Raises:
        BuildFailed: the folder has become a link.
    """
    compiled, place = folder / into.strip("/"), PurePosixPath((at or into).strip("/"))
    for above in (compiled, *compiled.parents):
        if above.is_relative_to(folder):
            _refuse_link(above, above.name)
    caches = set()
    for found in sorted(path for path in compiled.rglob("*.pyc") if _kind(path) == "file"):
        path = place / found.relative_to(compiled)
        cache = str(path.parent / "__pycache__")
        if cache not in caches:
            caches.add(cache)
            yield Entry(cache)
        yield Entry(f"{cache}/{path.name}", 0o644, source=found)


def static(folder: Path, static_root: str) -> list[Entry]:
    """Collected static files below STATIC_ROOT.

    Raises:
        BuildFailed: the folder has become a link.
    """
    _refuse_link(folder, folder.name)
    into = _plain(static_root)
    return [*(Entry(str(above)) for above in parents(into)), Entry(into), *tree(folder, into)]


def runtime(folder: Path, site_packages: str) -> list[Entry]:
    """nuages_runtime as an installed package, and beside it the files that make Python load its hook at start; the
    folders above are the virtual environment's.
    """
    packages = site_packages.strip("/")
    into = f"{packages}/{folder.name}"
    hooks = [Entry(f"{packages}/{name}", 0o644, source=folder / name) for name in HOOKS if (folder / name).is_file()]
    wanted = (*HOOKS, "__pycache__")
    return [Entry(into), *tree(folder, into, wanted=lambda name: not name.endswith(wanted)), *hooks]


def site_packages(environment: Path, at: str) -> str:
    """Where a virtual environment that lies in the folder `environment` keeps its packages, seen at `at`."""
    found = next(environment.glob("lib/python3.*/site-packages"))
    return f"{at}/{found.relative_to(environment)}"


def parents(path: str) -> list[PurePosixPath]:
    """The folders above a path, outermost first, without the root."""
    return [folder for folder in reversed(PurePosixPath(path).parents) if str(folder) != "."]


def _file(source: Path, path: str) -> Entry:
    return Entry(path, 0o755 if source.stat().st_mode & 0o111 else 0o644, source=source)


def _link(source: Path, path: str) -> Entry:
    return Entry(path, 0o777, target=str(source.readlink()))


def _kind(path: Path) -> str:
    """What lies there itself: "file" or "link"; "" for nothing, and for what has no place in a layer (a pipe, say)."""
    try:
        mode = path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return ""
    return "link" if stat.S_ISLNK(mode) else "file" if stat.S_ISREG(mode) else ""


def _refuse_link(folder: Path, name: str) -> None:
    if folder.is_symlink():
        raise BuildFailed(
            f"the folder {name} became a link to {folder.readlink()} while the image was built",
            hint="a program of the project did that: its settings, or one of build.commands",
        )


def _plain(path: str) -> str:
    """A folder's path as layers have it: /app/blog/../static is app/static."""
    return posixpath.normpath(path).strip("/")
