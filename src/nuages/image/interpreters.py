"""A Python that Debian does not have, for a base image: a standalone build that uv fetches, or one of this machine's.

A standalone build brings its libraries; one that was built on this machine needs those it was linked with, as packages
of the same Debian.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from uv import find_uv_bin

from nuages.errors import CommandFailed, MissingTool
from nuages.host.command import run
from nuages.host.places import cache

# The Debian that a standalone build is put into: it brings all its libraries but libc.
STANDALONE_ON = "trixie"
UNREACHABLE = ".interpreters-unreachable"
FORGET = 3600.0  # seconds that a place to fetch from is believed to stay unreachable
PATIENCE = "20"  # seconds without a byte
_LEFT_OUT = re.compile(r"_tkinter|_test|nis\.")  # the recipe leaves these modules out


class Interpreter(NamedTuple):
    """A Python somewhere on this machine: its prefix, its exact version and build, and what it stands on."""

    prefix: Path
    build: str
    debian: str
    libraries: tuple[str, ...]
    """Debian packages with the shared libraries that it was linked with."""

    def arguments(self, version: str) -> dict[str, str]:
        """What the recipe is told; these also name its archive."""
        return {
            "PYTHON": version,
            "PREFIX": str(self.prefix),
            "LIBRARIES": " ".join(self.libraries),
            "BUILD": hashlib.sha256(self.build.encode()).hexdigest()[:12],
        }


def find(version: str, say: Callable[[str], None]) -> Interpreter | None:
    """A Python of a version ("3.12") that an image can be made from: fetched, or else of this machine; None where there
    is neither.
    """
    return _standalone(version, say) or next(filter(None, map(_own, candidates(version))), None)


def candidates(version: str) -> list[Path]:
    """Where Pythons of a version may lie on this machine, newest first; Debian's own are in no prefix of theirs."""
    homes = [
        Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions",
        Path("/opt/python"),
        Path("/opt"),
    ]
    found = [path for home in homes for path in home.glob(f"*/bin/python{version}")]
    found += [path for path in [Path(f"/usr/local/bin/python{version}")] if path.is_file()]
    return sorted((path for path in found if os.access(path, os.X_OK)), key=_version_of, reverse=True)


def there() -> list[str]:
    """The versions that this machine has besides Debian's, to say which ones can be had."""
    found = {_series(path.name) for number in range(10, 16) for path in candidates(f"3.{number}")}
    found |= {_series(path.name) for path in _folder().glob("*/bin/python3.[0-9]*")}
    return sorted(found - {""}, key=lambda version: int(version.partition(".")[2]))


def _standalone(version: str, say: Callable[[str], None]) -> Interpreter | None:
    folder = _folder()
    fetched = sorted(folder.glob(f"cpython-{version}.*/bin/python{version}"), key=_version_of)
    unreachable = folder / UNREACHABLE
    if not fetched:
        if unreachable.exists() and time.time() - unreachable.stat().st_mtime < FORGET:
            return None
        folder.mkdir(parents=True, exist_ok=True)
        say(f"looking for a standalone Python {version}")
        env = {"UV_PYTHON_INSTALL_DIR": str(folder), "UV_HTTP_TIMEOUT": PATIENCE, "UV_HTTP_RETRIES": "0"}
        try:
            run([find_uv_bin(), "python", "install", "--no-bin", "--no-config", version], say, env=env)
        except (CommandFailed, MissingTool, FileNotFoundError):
            unreachable.touch()
            return None
        fetched = sorted(folder.glob(f"cpython-{version}.*/bin/python{version}"), key=_version_of)
    if not fetched:
        return None
    prefix = fetched[-1].resolve().parent.parent
    return Interpreter(prefix, prefix.name, STANDALONE_ON, ())


def _own(program: Path) -> Interpreter | None:
    """A Python that was built here, where the libraries it needs have packages in this machine's own Debian."""
    release = _release()
    try:
        told = run([program, "-Ic", "import sys; print(sys.base_prefix); print(sys.version)"]).splitlines()
        prefix = Path(told[0])
        version = re.match(r"python(3\.\d+)", program.name)
        if not release or version is None or prefix == Path("/usr"):
            return None
        files = [prefix / "bin" / program.name, *prefix.glob("lib/libpython3.*.so.*")]
        files += [
            path
            for path in sorted((prefix / "lib" / f"python{version[1]}" / "lib-dynload").glob("*.so"))
            if not _LEFT_OUT.match(path.name)
        ]
        return Interpreter(prefix, " ".join(told[1:]), release, tuple(_packages(files, prefix)))
    except (CommandFailed, MissingTool, IndexError):
        return None


def _packages(files: list[Path], prefix: Path) -> list[str]:
    """The Debian packages that own the libraries which programs were linked with, libc's apart."""
    linked = {Path(found) for path in files for found in re.findall(r"=> (/\S+)", run(["ldd", path]))}
    wanted = {path for path in linked if not path.is_relative_to(prefix)}
    found = set()
    for path in sorted(wanted):
        try:
            owner = run(["dpkg", "-S", path])
        except CommandFailed:  # known to dpkg by its place before /lib became a link
            owner = run(["dpkg", "-S", path.resolve()])
        found.add(owner.partition(":")[0])
    return sorted(found - {"libc6"})


def _release() -> str:
    """The code name of this machine's Debian; "" where it is another system."""
    try:
        lines = Path("/etc/os-release").read_text().splitlines()
    except OSError:
        return ""
    said = dict(line.partition("=")[::2] for line in lines)
    return said.get("VERSION_CODENAME", "").strip('"') if said.get("ID", "").strip('"') == "debian" else ""


def _folder() -> Path:
    """Where standalone builds are kept."""
    return cache() / "pythons"


def _series(name: str) -> str:
    found = re.fullmatch(r"python(3\.\d+)", name)
    return found[1] if found else ""


def _version_of(program: Path) -> list[int]:
    """The numbers in the name of the folder above: `3.12.1`, `cpython-3.12.16-linux-x86_64-gnu`."""
    found = re.search(r"3\.\d+(?:\.\d+)?", str(program.parent.parent.name))
    return [int(number) for number in found[0].split(".")] if found else [0]
