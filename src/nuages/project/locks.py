"""What a lock installs, as a list of pinned requirements: read as text, without the tool that wrote it and without a
network.

    poetry.lock, pdm.lock, uv.lock ─▶ Lock (roots and packages) ─▶ walk ─▶ Package, … ─▶ lines for an installer
    Pipfile.lock ────────────────────────────────────────────────────────▶ lines

A lock is a graph: which of its packages are installed follows from the groups and extras that are asked for, and from
the markers (PEP 508) of the Python and platform that the image has.
"""

from __future__ import annotations

import platform
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from packaging.markers import InvalidMarker, Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name as normal
from packaging.version import InvalidVersion, Version

from nuages.errors import Refused

Table = dict[str, Any]


class Need(NamedTuple):
    """One dependency: a normalised name, the extras it is wanted with, when (PEP 508), and which versions."""

    name: str
    extras: frozenset[str] = frozenset()
    marker: str = ""
    versions: str = ""
    optional: bool = False
    """Only installed where an extra of the package that needs it names it."""


class Package(NamedTuple):
    """One locked package, and where it comes from."""

    name: str
    version: str
    needs: tuple[Need, ...] = ()
    extras: Mapping[str, tuple[Need, ...]] = {}
    """What each of its extras adds."""
    hashes: tuple[str, ...] = ()
    """`sha256:…`, of each file of it that an index has."""
    source: str = ""
    """A PEP 508 URL, or a path beginning with `.`; "" where an index has it."""
    editable: bool = False
    python: str = ""

    def line(self, extras: Iterable[str] = ()) -> str:
        """The requirement as installers read it, hashes included."""
        chosen = f"[{','.join(sorted(extras))}]" if extras else ""
        if self.source.startswith("."):
            return f"-e {self.source}" if self.editable else self.source
        wanted = f"{self.name}{chosen} @ {self.source}" if self.source else f"{self.name}{chosen}=={self.version}"
        return " ".join([wanted, *(f"--hash={digest}" for digest in sorted(set(self.hashes)))])


class Lock(NamedTuple):
    """A lock's content: what the project itself asks for, by group or extra, and every package that was resolved."""

    file: str
    roots: tuple[Need, ...]
    packages: Mapping[str, tuple[Package, ...]]
    again: str
    """The command that writes it anew."""


def environment(python: str) -> dict[str, str]:
    """The values that markers ask for, in an image with this Python ("3.13" or "3.13.5").

    Rule: https://packaging.python.org/en/latest/specifications/dependency-specifiers/#environment-markers
    """
    full = python if python.count(".") > 1 else f"{python}.99"  # the newest of its series, where it is not known
    return {
        "implementation_name": "cpython",
        "implementation_version": full,
        "os_name": "posix",
        "platform_machine": platform.machine(),
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": full,
        "python_version": ".".join(python.split(".")[:2]),
        "sys_platform": "linux",
    }


def walk(lock: Lock, python: str) -> dict[str, tuple[Package, frozenset[str]]]:
    """What the roots of a lock lead to in this Python: each package once, with the extras it is wanted with.

    Raises:
        Refused: something is needed that the lock does not have: it is older than what it was made from, or was merged.
    """
    env = environment(python)
    found: dict[str, tuple[Package, frozenset[str]]] = {}
    waiting = [(need, frozenset({""})) for need in lock.roots]
    while waiting:
        need, context = waiting.pop()
        if not holds(need.marker, env, context):
            continue
        known = found.get(need.name)
        package = known[0] if known else _chosen(lock, need, env)
        fresh = need.extras - known[1] if known else need.extras
        if known and not fresh:
            continue
        wanted = (known[1] if known else frozenset()) | need.extras
        found[need.name] = (package, wanted)
        of_extras = [other for extra in wanted for other in package.extras.get(extra, ())]
        named = {other.name for other in of_extras}
        plain = [other for other in package.needs if not other.optional or other.name in named]
        waiting += [(other, wanted | {""}) for other in (*plain, *of_extras)]
    return dict(sorted(found.items()))


def holds(marker: str, env: Mapping[str, str], extras: Iterable[str] = ("",)) -> bool:
    """Whether a marker is true with any of these extras; a marker that nobody can read is taken for true."""
    if not marker:
        return True
    try:
        read = Marker(marker)
    except InvalidMarker:
        return True
    return any(read.evaluate({**env, "extra": extra}) for extra in extras)


def table(path: Path) -> Table:
    """A TOML file.

    Raises:
        Refused: it is none, as after a merge that left its marks.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise unreadable(path, str(error)) from None


@contextmanager
def shaped(path: Path) -> Iterator[None]:
    """What reads a lock finds what such a lock has.

    Raises:
        Refused: it is of another form: written by hand, or by a newer tool.
    """
    try:
        yield
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        said = f"it lacks {error}" if isinstance(error, KeyError) else "a part of it has another form than is known"
        raise unreadable(path, said) from error


def unreadable(path: Path, why: str) -> Refused:
    """The error for a lock that nobody can read."""
    marks = any(line.startswith(("<<<<<<<", ">>>>>>>")) for line in path.read_text(errors="replace").splitlines())
    return Refused(
        f"{path.name} can't be read: {'it has the marks of a merge' if marks else why}",
        place=str(path.name),
        hint="write it anew with the tool that made it",
    )


def requirement(text: str) -> Need | None:
    """A PEP 508 requirement as a need; None where it is none."""
    try:
        read = Requirement(text)
    except InvalidRequirement:
        return None
    return Need(normal(read.name), frozenset(map(normal, read.extras)), str(read.marker or ""), str(read.specifier))


def fits(version: str, versions: str) -> bool:
    """Whether a version is among those that a specifier names (PEP 440); what can't be read fits."""
    try:
        return not versions or SpecifierSet(versions, prereleases=True).contains(Version(version))
    except (InvalidSpecifier, InvalidVersion):
        return True


def _chosen(lock: Lock, need: Need, env: Mapping[str, str]) -> Package:
    """Of several versions of one package (a lock may have one per Python) the one that is meant here."""
    known = lock.packages.get(need.name, ())
    if not known:
        raise Refused(
            f"{lock.file} does not have {need.name}, which the project needs",
            place=lock.file,
            hint=f"run: {lock.again}",
        )
    suiting = [one for one in known if fits(env["python_full_version"], one.python)] or list(known)
    exact = [one for one in suiting if fits(one.version, need.versions)] or suiting
    return max(exact, key=_order)


def _order(package: Package) -> tuple[int, Version | str]:
    try:
        return 1, Version(package.version)
    except InvalidVersion:
        return 0, package.version
