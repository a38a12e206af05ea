"""Which file says what to install, and what that is. Read as text: nothing is resolved, nothing is reached.

Of several the most exact one counts: a lock before a list, a list before a wish.
"""

from __future__ import annotations

import ast
import configparser
import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, NamedTuple

from packaging.utils import canonicalize_name

from nuages.errors import Refused
from nuages.project import locks, locks_pdm, locks_pipenv, locks_poetry, locks_uv, requirement_files
from nuages.project.facts import Dependencies
from nuages.project.locks import Need

# PEP 508's name, an exact version where one is given; the rest (extras, markers, hashes) does not matter here.
_REQUIREMENT = re.compile(
    r"^([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*(?:===?\s*([A-Za-z0-9.!+_-]+)(?![A-Za-z0-9.!+_*-]))?"
)
# Where a project keeps its production requirements, first choice first.
REQUIREMENTS = (
    "requirements.txt",
    "requirements/production.txt",
    "requirements/prod.txt",
    "requirements/base.txt",
    "requirements/requirements.txt",
    "requirements-prod.txt",
    "requirements-production.txt",
    "requirements/common.txt",
    "requirements/main.txt",
)
KINDS = ("uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "requirements", "Pipfile", "pyproject", "setup.py")
# What markers are asked for while nobody knows yet which Python the image has.
LIKELY = "3.13"


class Options(NamedTuple):
    """What the spec says: a file instead of the one that is found; extras and groups beside what always is
    installed.
    """

    file: str = ""
    extras: Sequence[str] = ()
    groups: Sequence[str] = ()


FOUND = Options()


class Declared(NamedTuple):
    """The file that says what to install: its kind, the folder that its paths are relative to, its name in there; and
    which member of a workspace the project is, "" where it is none.
    """

    kind: str
    folder: Path
    name: str
    member: str = ""


def dependencies(root: Path, options: Options = FOUND, python: str = LIKELY) -> Dependencies | None:
    """What the project in a folder installs; None where it says so nowhere.

    A lock that can't be read has no packages here; the build says what is wrong with it.
    """
    found = locate(root, options)
    if found is None:
        return None
    try:
        files, packages, indexes = _content(found, options, python)
    except Refused:
        files, packages, indexes = [found.name], {}, ()
    return Dependencies(
        kind=found.kind,
        files=tuple(_relative(found.folder / file, root) for file in files),
        packages=packages,
        extras=tuple(options.extras),
        groups=tuple(options.groups),
        indexes=requirement_files.hosts(indexes),
    )


def locate(root: Path, options: Options = FOUND) -> Declared | None:
    """The kind, the folder and the name of the file that says what to install.

    It lies beside manage.py, or in a folder above, up to the one of the repository.

    Raises:
        Refused: the spec names a file that is not there.
    """
    if options.file:
        for folder in _folders(root):
            if (folder / options.file).is_file():
                path = folder / options.file
                kind = _kind(path.name)
                listed = kind == "requirements"  # its paths are relative to where pip is called
                return Declared(kind, folder, options.file) if listed else Declared(kind, path.parent, path.name)
        raise Refused(f"build.dependencies.file: there is no {options.file}", place="nuages.yaml")
    folders = _folders(root)
    for number, folder in enumerate(folders):
        for kind in KINDS:
            if name := _present(folder, kind):
                shared = _workspace(folder, folders[number + 1 :]) if kind == "pyproject" else None
                return shared or Declared(kind, folder, name)
    return None


def _workspace(folder: Path, above: Iterable[Path]) -> Declared | None:
    """The lock of the workspace that a folder is a member of (https://docs.astral.sh/uv/concepts/projects/workspaces/);
    None where it is of none.
    """
    member = _toml(folder / "pyproject.toml").get("project", {}).get("name", "")
    for top in above:
        if member and _present(top, "uv.lock"):
            said = _toml(top / "pyproject.toml").get("tool", {}).get("uv", {}).get("workspace", {})
            here = str(folder.relative_to(top))
            found, left_out = (
                any(fnmatch(here, str(pattern).rstrip("/")) for pattern in said.get(word, []))
                for word in ("members", "exclude")
            )
            return Declared("uv.lock", top, "uv.lock", member) if found and not left_out else None
    return None


def groups(root: Path) -> dict[str, tuple[str, ...]]:
    """Every group and extra that could be installed as well, with the distributions it names (trap: a driver that is in
    none of the default ones).
    """
    found = locate(root)
    folder = found.folder if found else root
    project = _toml(folder / "pyproject.toml") if (folder / "pyproject.toml").is_file() else {}
    poetry = project.get("tool", {}).get("poetry", {})
    named: dict[str, list[str]] = {
        group: locks_poetry.standard_group(project, group) for group in project.get("dependency-groups", {})
    }
    named |= {group: list(said.get("dependencies", {})) for group, said in poetry.get("group", {}).items()}
    named |= project.get("project", {}).get("optional-dependencies", {})
    named |= {extra: list(said) for extra, said in poetry.get("extras", {}).items()}
    if (folder / "Pipfile").is_file() and (developed := _toml(folder / "Pipfile").get("dev-packages")):
        named.setdefault("dev", list(developed))
    return {group: tuple(name for name, _ in _named(lines)) for group, lines in named.items()}


def normal(name: str) -> str:
    """A distribution's name as indexes compare it (PEP 503)."""
    return str(canonicalize_name(name))


def requires_python(root: Path) -> tuple[str, str] | None:
    """The Python that a project asks for, and the file that says so."""
    for folder in _folders(root):
        pinned = folder / ".python-version"
        if pinned.is_file() and (first := pinned_version(pinned)):
            return first, _relative(pinned, root)
        if (folder / "pyproject.toml").is_file():
            wanted = _toml(folder / "pyproject.toml").get("project", {}).get("requires-python")
            if isinstance(wanted, str):
                return wanted, _relative(folder / "pyproject.toml", root)
    return None


def pinned_version(path: Path) -> str:
    """The first version in a .python-version; comments may stand before it."""
    lines = (line.partition("#")[0].split() for line in path.read_text().splitlines())
    return next((words[0] for words in lines if words), "")


def _content(declared: Declared, options: Options, python: str) -> tuple[list[str], dict[str, str], Iterable[str]]:
    """Files, packages with their exact versions, and index lines."""
    kind, folder, name, member = declared
    if kind == "requirements":
        listed = requirement_files.read(folder, name)
        return list(listed.files), dict(_named((*listed.constraints, *listed.lines), listed.lines)), listed.indexes
    if kind == "Pipfile.lock":
        env = locks.environment(python)
        locked = locks_pipenv.locked(folder, options.groups, env)
        packages = {package.name: package.version for package, _ in locked}
        return [name], packages, indexes(folder, locked=True)
    if kind == "Pipfile":
        needs = [need for need, _ in locks_pipenv.declared(folder, options.groups)]
        return [name], {need.name: _exact(need) for need in needs}, indexes(folder, locked=False)
    if kind == "setup.py":
        return [name], dict(_named(setup(folder))), ()
    if kind == "pyproject":
        project = locks.table(folder / name)
        wanted = (*locks_poetry.main(project, options.extras), *locks_poetry.of_groups(project, options.groups))
        return [name], {need.name: _exact(need) for need in wanted}, ()
    content = lock(folder, kind, options, member)
    if kind == "uv.lock" and not content.roots:  # the project is not in it: whatever it has, then
        return ["pyproject.toml", name], {found: known[-1].version for found, known in content.packages.items()}, ()
    reached = locks.walk(content, python)
    local = {found for found, (package, _) in reached.items() if package.source.startswith("./")}
    packages = {found: package.version for found, (package, _) in reached.items() if found not in local}
    return ["pyproject.toml", name], packages, ()


def lock(folder: Path, kind: str, options: Options, member: str = "") -> locks.Lock:
    """A lock with what is asked of it, for a member of its workspace where one is named.

    Raises:
        Refused: it can't be read.
    """
    with locks.shaped(folder / kind):
        if kind == "uv.lock":
            project = member or locks.table(folder / "pyproject.toml").get("project", {}).get("name", "")
            return locks_uv.read(folder, project, options.extras, options.groups)
        reader = locks_poetry.read if kind == "poetry.lock" else locks_pdm.read
        return reader(folder, options.extras, options.groups)


def _folders(root: Path) -> list[Path]:
    """The project's folder, and those above it that belong to the same repository."""
    root = root.resolve()
    above = [root, *root.parents]
    top = next((number for number, folder in enumerate(above) if (folder / ".git").exists()), 0)
    if top == 0:
        top = next((number for number, folder in enumerate(above[:3]) if (folder / "nuages.yaml").is_file()), 0)
    return above[: top + 1]


def _present(folder: Path, kind: str) -> str | None:
    if kind in ("uv.lock", "poetry.lock", "pdm.lock"):
        return kind if (folder / kind).is_file() and (folder / "pyproject.toml").is_file() else None
    if kind == "requirements":
        return next((name for name in REQUIREMENTS if (folder / name).is_file()), None)
    if kind == "pyproject":
        return "pyproject.toml" if _declares(folder / "pyproject.toml") else None
    if kind == "setup.py":
        return next((name for name in ("setup.cfg", "setup.py") if (folder / name).is_file() and setup(folder)), None)
    return kind if (folder / kind).is_file() else None


def _declares(path: Path) -> bool:
    project = _toml(path) if path.is_file() else {}
    return bool(locks_poetry.main(project) or "dependencies" in project.get("project", {}).get("dynamic", []))


def _kind(name: str) -> str:
    return {"pyproject.toml": "pyproject", "setup.cfg": "setup.py"}.get(name, name if name in KINDS else "requirements")


def setup(folder: Path) -> list[str]:
    """`install_requires` of setup.cfg, or of setup.py where it is written out."""
    if (folder / "setup.cfg").is_file():
        config = configparser.ConfigParser(interpolation=None)
        try:
            config.read(folder / "setup.cfg")
            if said := config.get("options", "install_requires", fallback=""):
                return [line.strip() for line in said.splitlines() if line.strip()]
        except configparser.Error:
            return []
    try:
        tree = ast.parse((folder / "setup.py").read_bytes())
    except (SyntaxError, OSError, ValueError):
        return []
    lists = (
        word.value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        for word in call.keywords
        if word.arg == "install_requires" and isinstance(word.value, ast.List | ast.Tuple)
    )
    return [
        one.value
        for found in lists
        for one in found.elts
        if isinstance(one, ast.Constant) and isinstance(one.value, str)
    ]


def indexes(folder: Path, *, locked: bool) -> list[str]:
    """A Pipfile's sources as options of an installer: the first is the default, others are beside it."""
    words = ("--index-url", "--extra-index-url")
    urls = locks_pipenv.sources(folder, locked=locked)
    found = (requirement_files.index(words[bool(number)], url) for number, url in enumerate(urls))
    return [line for line in found if line]


def _exact(need: Need) -> str:
    return need.versions[2:] if need.versions.startswith("==") and "," not in need.versions else ""


def _named(lines: Iterable[str], only: Iterable[str] | None = None) -> Iterator[tuple[str, str]]:
    """Name and exact version of each requirement; of constraints only those that `only` names."""
    wanted = None if only is None else {normal(found[1]) for line in only if (found := _REQUIREMENT.match(line))}
    for line in lines:
        if (found := _REQUIREMENT.match(line)) and (wanted is None or normal(found[1]) in wanted):
            yield normal(found[1]), found[2] or ""


def _relative(path: Path, root: Path) -> str:
    return requirement_files.named(path, root)


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return {}
