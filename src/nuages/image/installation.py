"""What an installer is given: the requirements of a project as one list, whatever file says them.

A lock becomes pinned lines with their hashes, and nothing is left to resolve; a list of ranges is resolved by uv. The
list is also what names an environment in the cache: a comment in pyproject.toml installs nothing anew.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from pathlib import Path

import msgspec
from uv import find_uv_bin

from nuages.app.components import App
from nuages.errors import BuildFailed, CommandFailed, Refused
from nuages.host.command import run
from nuages.image import ignore, layers
from nuages.project import locks, locks_pipenv, locks_poetry, requirement_files, requirements
from nuages.project.requirements import Declared, Options

# pip looks for the best version in all indexes that a file names; uv, left alone, in the first that has the package.
AS_PIP = "--index-strategy=unsafe-best-match"
_SUPPORTED = re.compile(r"^--(no-binary|only-binary|no-index|require-hashes)\b")
# Servers that have to be compiled and that no image of ours starts, unless a command of the spec names them.
NOT_STARTED = ("uwsgi", "mod-wsgi")
_DECIDING = ("pyproject.toml", "setup.py", "setup.cfg", "setup.pyi", "MANIFEST.in")
_LOCAL = re.compile(r"^(?P<link>-e\s+)?(?:file:)?(?P<path>\.{1,2}(?:/[^\s\[]*)?)(?=$|\s|\[)")
_PATH = re.compile(r"^(?P<link>-e\s+)?(?:file:)?(?P<path>[\w.-]+/[^\s\[:@]*)(?=$|\s|\[)")
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")


class Installation(msgspec.Struct, frozen=True):
    """The lines of a requirements file, and how they are to be installed."""

    lines: tuple[str, ...]
    constraints: tuple[str, ...] = ()
    indexes: tuple[str, ...] = ()
    """Index options as the project writes them: they may hold credentials, so they go into a file, never into argv."""
    arguments: tuple[str, ...] = ()
    local: tuple[str, ...] = ()
    """Folders and files of the project that are installed, relative to it."""
    digests: tuple[str, ...] = ()
    """Of what decides how those are built."""
    skipped: tuple[str, ...] = ()
    """Distributions that are asked for and left out, see NOT_STARTED."""

    @property
    def git(self) -> bool:
        """Whether something comes from a git repository."""
        return any("git+" in line for line in self.lines)

    @property
    def variables(self) -> list[str]:
        """The environment variables that index lines and URLs name: `${TOKEN}`."""
        return sorted({name for line in (*self.indexes, *self.lines) for name in _VARIABLE.findall(line)})

    def text(self) -> str:
        """The requirements file."""
        return "\n".join((*self.indexes, *self.lines, ""))


def of(root: Path, app: App, python: str) -> Installation:
    """What is installed for a project in an image with this Python ("3.13.5").

    Raises:
        Refused: the file that says so is broken, or does not say all that is needed.
        BuildFailed: nothing says it.
    """
    wanted = app.build.dependencies
    options = Options(wanted.file or "", tuple(wanted.extras), tuple(wanted.groups))
    declared = requirements.locate(root, options)
    if declared is None:
        raise BuildFailed(f"{root} says nowhere what to install", hint="write a requirements.txt")
    found = _without_servers(_of(declared, options, python), app)
    return _with_local(found, declared.folder, root)


def _without_servers(found: Installation, app: App) -> Installation:
    started = [web.command for web in app.web.values()] + [worker.command for worker in app.workers.values()]
    words = " ".join(word for command in started for word in command or ()).replace("_", "-").lower()
    unused = [name for name in NOT_STARTED if name not in words]
    named = {line: locks.requirement(re.split(r"\s+--hash|\s+;", line)[0]) for line in found.lines}
    skipped = {line: need.name for line, need in named.items() if need and need.name in unused}
    lines = tuple(line for line in found.lines if line not in skipped)
    return msgspec.structs.replace(found, lines=lines, skipped=tuple(skipped.values()))


def own_package(root: Path, declared: Declared | None) -> bool:
    """Whether the project is itself a package that its own tool would install."""
    if declared is None or not (root / "pyproject.toml").is_file() or declared.kind in ("requirements", "setup.py"):
        return False
    project = locks.table(root / "pyproject.toml")
    tool = project.get("tool", {})
    if "build-system" not in project or declared.kind in ("Pipfile", "Pipfile.lock"):
        return False
    refused = (
        tool.get("uv", {}).get("package") is False,
        tool.get("poetry", {}).get("package-mode") is False,
        tool.get("pdm", {}).get("distribution") is False,
    )
    return not any(refused)


def own_digest(root: Path, files: Iterable[str]) -> list[str]:
    """What decides how the project's own package is installed: its build files, and which packages there are."""
    named = sorted({name.rpartition("/")[0] for name in files if name.endswith("/__init__.py")})
    return [*_digests(root, _DECIDING), *(name for name in named if name.count("/") < 2)]


def _of(declared: Declared, options: Options, python: str) -> Installation:
    kind, folder, name, member = declared
    if kind == "uv.lock":
        return _uv(folder, options, member)
    if kind in ("poetry.lock", "pdm.lock"):
        reached = locks.walk(requirements.lock(folder, kind, options), python)
        indexes = _poetry_indexes(folder) if kind == "poetry.lock" else _pdm_indexes(folder)
        return _pinned([package.line(extras) for package, extras in reached.values()], indexes)
    if kind == "Pipfile.lock":
        locked = locks_pipenv.locked(folder, options.groups, locks.environment(python))
        lines = [package.line(extras) for package, extras in locked]
        return _pinned(lines, requirements.indexes(folder, locked=True))
    if kind == "requirements":
        return _listed(requirement_files.read(folder, name))
    if kind == "Pipfile":
        named = tuple(requirements.indexes(folder, locked=False))
        lines = [_line(need, source) for need, source in locks_pipenv.declared(folder, options.groups)]
        return Installation(tuple(lines), (), named, _strategy(named))
    if kind == "pyproject":
        return _pyproject(folder, options)
    literal = requirements.setup(folder)
    return Installation(tuple(literal))


def _uv(folder: Path, options: Options, member: str) -> Installation:
    """The export that uv makes itself; this machine's index settings stay out of it, the project's are in it."""
    locks.table(folder / "uv.lock")
    asked = [f"--extra={extra}" for extra in options.extras] + [f"--group={group}" for group in options.groups]
    asked += [f"--package={member}"] if member else []
    plain = [f"--unset={name}" for name in os.environ if name.startswith("UV_")]
    argv: list[str | Path] = [
        *("env", *plain, find_uv_bin(), "export", "--quiet", "--frozen", "--offline", "--no-header", "--no-annotate")
    ]
    without = () if "dev" in options.groups else ("--no-dev",)
    argv += [*without, "--no-emit-project", "--emit-index-url", "--no-python-downloads", *asked]
    try:
        exported = run([*argv, "--directory", folder], env={"NO_COLOR": "1"})
    except CommandFailed as failed:
        lines = [re.sub(r"^\s*(error:|cause:)\s*", "", line) for line in failed.detail.splitlines() if line.strip()]
        raise Refused(
            f"uv.lock can't be used: {lines[0] if lines else 'uv says nothing'}", place="uv.lock", hint="run: uv lock"
        ) from None
    lines = [line.strip() for line in exported.replace("\\\n", " ").splitlines()]
    indexes = [said for line in lines if line.startswith("--") if (said := _index(line))]
    return _pinned([re.sub(r"\s+", " ", line) for line in lines if line and line[:2] not in ("--", "# ")], indexes)


def _pinned(lines: list[str], indexes: Iterable[str]) -> Installation:
    named = tuple(indexes)
    hashed = all("--hash=" in line for line in lines)
    arguments = ("--no-deps", *(["--require-hashes"] if hashed and lines else []), *_strategy(named))
    return Installation(tuple(lines), (), named, arguments)


def _listed(listed: requirement_files.Listed) -> Installation:
    if listed.problems:
        raise listed.problems[0]
    supported = [line for line in listed.options if _SUPPORTED.match(line)]
    arguments = [*_strategy(listed.indexes)]
    if "--pre" in listed.options:
        arguments.append("--prerelease=allow")
    trusted = [line for line in listed.options if line.startswith("--trusted-host")]
    arguments += [f"--allow-insecure-host={re.split(r'[ =]', line)[-1]}" for line in trusted]
    return Installation(
        listed.lines, listed.constraints, (*listed.indexes, *dict.fromkeys(supported)), tuple(arguments)
    )


def _pyproject(folder: Path, options: Options) -> Installation:
    project = locks.table(folder / "pyproject.toml")
    standard, poetry = project.get("project", {}), project.get("tool", {}).get("poetry", {})
    if "dependencies" in standard.get("dynamic", []) and not poetry.get("dependencies"):
        return Installation(("-e .",))
    lines = [*standard.get("dependencies", [])]
    for extra in options.extras:
        lines += standard.get("optional-dependencies", {}).get(extra, [])
    for group in options.groups:
        lines += locks_poetry.standard_group(project, group)
    named = {need.name for line in lines if (need := locks.requirement(line))}
    known = (*locks_poetry.main(project, options.extras), *locks_poetry.of_groups(project, options.groups))
    sources = locks_poetry.sources(poetry)
    lines += [_line(need, sources.get(need.name, "")) for need in known if need.name not in named]
    indexes = _poetry_indexes(folder)
    return Installation(tuple(lines), (), indexes, _strategy(indexes))


def _line(need: locks.Need, source: str) -> str:
    extras = f"[{','.join(sorted(need.extras))}]" if need.extras else ""
    marker = f" ; {need.marker}" if need.marker else ""
    if source.startswith("."):
        return f"-e {source}"
    return f"{need.name}{extras} @ {source}{marker}" if source else f"{need.name}{extras}{need.versions}{marker}"


def _poetry_indexes(folder: Path) -> tuple[str, ...]:
    """Poetry's sources: a primary one replaces the public index, others are beside it."""
    sources = locks.table(folder / "pyproject.toml").get("tool", {}).get("poetry", {}).get("source", [])
    found = []
    for source in sources:
        replaces = source.get("priority", "primary") in ("primary", "default") and not source.get("secondary")
        found.append(_index(f"{'--index-url' if replaces else '--extra-index-url'} {source.get('url', '')}"))
    return tuple(line for line in found if line)


def _pdm_indexes(folder: Path) -> tuple[str, ...]:
    sources = locks.table(folder / "pyproject.toml").get("tool", {}).get("pdm", {}).get("source", [])
    named = [
        ("--index-url" if one.get("name") == "pypi" else "--extra-index-url", one.get("url", "")) for one in sources
    ]
    return tuple(line for option, url in named if url and (line := requirement_files.index(option, url)))


def _index(line: str) -> str | None:
    option, _, url = line.partition(" ")
    return requirement_files.index(option, url) if url else None


def _strategy(indexes: Iterable[str]) -> tuple[str, ...]:
    return (AS_PIP,) if any(line.startswith("--extra-index-url") for line in indexes) else ()


def _with_local(found: Installation, folder: Path, root: Path) -> Installation:
    """The same with local paths as seen from the project's folder, and what decides how these are built.

    The project itself is installed by a link, so that its code is the one that lies beside manage.py.

    Raises:
        Refused: one lies outside of the project, so the image would not have it.
    """
    lines, local, digests = [], [], []
    for line in found.lines:
        matched = _LOCAL.match(line) or _named_local(line, folder)
        if matched is None:
            lines.append(line)
            continue
        path = (folder / matched["path"]).resolve()
        if not path.is_relative_to(root):
            raise Refused(f"{matched['path']} lies outside of the project, so the image can't have it", place=line)
        inside = f"./{path.relative_to(root)}"
        linked = matched["link"] is not None or path == root
        local.append(inside)
        digests += _digests_of(path, linked=linked)
        lines.append(f"{'-e ' * linked}{inside}{line[matched.end() :]}")
    return msgspec.structs.replace(found, lines=tuple(lines), local=tuple(local), digests=tuple(digests))


def _named_local(line: str, folder: Path) -> re.Match[str] | None:
    """A path without a dot at its beginning (`-e libs/ours`): pip takes it for one where something is there."""
    matched = _PATH.match(line)
    return matched if matched and (folder / matched["path"]).exists() else None


def _digests_of(path: Path, *, linked: bool) -> list[str]:
    """What decides how a local package is built: every file of one that is copied, the build files of a linked one."""
    if path.is_file():
        return layers.digests(path.parent, [path.name])
    return _digests(path, _DECIDING) if linked else layers.digests(path, ignore.select(path).files)


def _digests(folder: Path, names: Iterable[str]) -> list[str]:
    present = (folder / name for name in names if (folder / name).is_file())
    return [f"{path.name}:{hashlib.sha256(path.read_bytes()).hexdigest()}" for path in present]
