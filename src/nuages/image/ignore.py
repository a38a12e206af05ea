"""Which files of a project go into its image: .gitignore's and .dockerignore's rules, and what never does.

Later rules win over earlier ones, so `!certs/rds.pem` in .dockerignore brings back what the built-in rules leave out; a
secret (by its name, or with a private key in it) is brought back by none.
Syntax: https://git-scm.com/docs/gitignore#_pattern_format; .dockerignore's patterns are anchored to the project.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import NamedTuple

# What no rule brings back: an image is read by whoever can pull it.
SECRETS = [
    ".env",
    ".env.*",
    "*.env",
    ".envs",
    ".envrc",
    ".netrc",
    ".pgpass",
    ".pypirc",
    ".npmrc",
    ".aws",
    ".ssh",
    ".kube",
    ".git-credentials",
    "*.p12",
    "*.pfx",
    "*.jks",
    "id_rsa*",
    "id_dsa*",
    "id_ecdsa*",
    "id_ed25519*",
    "*.kubeconfig",
]
# Read to tell a private key from a certificate that everybody may have; cloud accounts keep theirs in JSON.
KEYS = (".pem", ".key", ".crt", ".cer", ".asc", ".json")
_READ = 1 << 20  # bytes, as far as a key is looked for: data may be as large as it likes
_PRIVATE = b"PRIVATE KEY"
# Other people's code, data, and what tools leave behind.
NEVER = [
    "*.pem",
    "*.key",
    ".git",
    ".hg",
    ".svn",
    "*.sqlite3",
    "*.sqlite3-*",
    "venv/",
    ".venv/",
    "node_modules/",
    "__pycache__/",
    "*.py[co]",
    ".tox/",
    ".nox/",
    ".mypy_cache/",
    ".ruff_cache/",
    ".pytest_cache/",
    ".coverage",
    ".idea/",
    ".vscode/",
    ".DS_Store",
    "nuages.yaml",
    "nuages.schema.json",
    ".nuages/",
]


class Rule(NamedTuple):
    """One pattern: where it applies (a folder relative to the project, "" for all of it), and what it says."""

    base: str
    matches: re.Pattern[str]
    folders_only: bool
    keep: bool

    def covers(self, path: str, is_folder: bool) -> bool:
        """Whether the pattern is about this path."""
        if self.folders_only and not is_folder:
            return False
        if self.base:
            if not path.startswith(self.base + "/"):
                return False
            path = path[len(self.base) + 1 :]
        return self.matches.fullmatch(path) is not None


def rules(lines: Iterable[str], base: str = "", *, anchored: bool = False) -> Iterator[Rule]:
    """The rules that lines of an ignore file stand for; `anchored` for .dockerignore, where `x` means `/x` only."""
    for line in lines:
        pattern = re.sub(r"(?<!\\)\s+$", "", line.rstrip("\n"))
        if not pattern or pattern.startswith("#"):
            continue
        keep = pattern.startswith("!")
        pattern = pattern[1:] if keep else pattern.removeprefix("\\")
        folders_only = pattern.endswith("/") and not anchored
        pattern = pattern.rstrip("/")
        fixed = anchored or "/" in pattern
        pattern = pattern.removeprefix("./").lstrip("/")
        if pattern:
            with suppress(re.error):  # a set that is none, such as [z-a]: git finds nothing by it either
                matches = re.compile(("" if fixed else "(?:.*/)?") + _expression(pattern))
                yield Rule(base, matches, folders_only, keep)


class Selection(NamedTuple):
    """What of a project is taken, sorted, and what is left out (topmost paths only, folders with a slash at the
    end).
    """

    files: tuple[str, ...]
    left_out: tuple[str, ...]


def select(root: Path) -> Selection:
    """Decide for every file below a project. Links are taken as they are, and a link to a folder is not followed."""
    files: list[str] = []
    left_out: list[str] = []
    above = list(_rules_above(root))
    docker = list(rules(_lines(root / ".dockerignore"), anchored=True))
    _walk(root, "", [*rules(NEVER), *above], docker=docker, files=files, left_out=left_out)
    return Selection(tuple(sorted(files)), tuple(sorted(left_out)))


def takes(root: Path, path: str) -> bool:
    """Whether a file of that path would be taken, were it there."""
    known, folder = [*rules(NEVER), *_rules_above(root)], ""
    docker = list(rules(_lines(root / ".dockerignore"), anchored=True))
    parts = PurePosixPath(path).parts
    for count in range(1, len(parts) + 1):
        known += rules(_lines(root / folder / ".gitignore"), folder)
        folder, is_folder = "/".join(parts[:count]), count < len(parts)
        if any(rule.covers(folder, is_folder) for rule in _SECRET_RULES):
            return False
        if _refused(folder, is_folder, [*known, *docker]):
            if not is_folder or not any(rule.keep for rule in docker):
                return False
            known += rules([f"/{folder}/**"])
    return True


def _walk(
    root: Path, folder: str, inherited: list[Rule], *, docker: list[Rule], files: list[str], left_out: list[str]
) -> None:
    here = root / folder
    known = [*inherited, *rules(_lines(here / ".gitignore"), folder)]
    for found in sorted(here.iterdir()):
        path = f"{folder}/{found.name}".lstrip("/")
        is_folder = found.is_dir() and not found.is_symlink()
        if _secret(found, path, is_folder):
            left_out.append(path + "/" * is_folder)
            continue
        refused = _refused(path, is_folder, [*known, *docker]) or (is_folder and (found / "pyvenv.cfg").is_file())
        if is_folder and (not refused or any(rule.keep for rule in docker)):
            # Below a refused folder only what a rule names may come back, as docker does it.
            below = [*known, *rules([f"/{path}/**"])] if refused else known
            count = len(files)
            _walk(root, path, below, docker=docker, files=files, left_out=[] if refused else left_out)
            if refused and len(files) == count:
                left_out.append(path + "/")
        elif refused:
            left_out.append(path + "/" * is_folder)
        elif found.is_symlink() or found.is_file():
            files.append(path)


def _secret(path: Path, name: str, is_folder: bool) -> bool:
    """Whether a path is a secret by its name, or a file with a private key."""
    if any(rule.covers(name, is_folder) for rule in _SECRET_RULES):
        return True
    if is_folder or not name.lower().endswith(KEYS) or not path.is_file():
        return False
    try:
        with path.open("rb") as content:
            return _PRIVATE in content.read(_READ)
    except OSError:
        return True


def _refused(path: str, is_folder: bool, known: list[Rule]) -> bool:
    last = next((rule for rule in reversed(known) if rule.covers(path, is_folder)), None)
    return last is not None and not last.keep


def _rules_above(root: Path) -> Iterator[Rule]:
    """The rules of the repository around a project that is only a part of it, written as seen from the project."""
    parents = [root, *root.parents]
    top = next((folder for folder in parents if (folder / ".git").exists()), root)
    for folder in reversed(root.parents):
        if folder.is_relative_to(top):
            inside = str(root.relative_to(folder))
            for rule in rules(_lines(folder / ".gitignore")):
                yield rule._replace(matches=_seen_from(rule.matches, inside))


def _seen_from(matches: re.Pattern[str], inside: str) -> re.Pattern[str]:
    """A pattern for paths of the repository as one for paths of the project in the folder `inside`."""
    source = matches.pattern
    if source.startswith("(?:.*/)?"):
        return matches
    prefix = re.escape(inside) + "/"
    return re.compile(source[len(prefix) :]) if source.startswith(prefix) else re.compile(r"(?!)")


def _expression(pattern: str) -> str:
    """A glob as a regular expression over a whole path."""
    parts = []
    for part in PurePosixPath(pattern).parts:
        if part == "**":
            parts.append("**")
            continue
        text = re.sub(r"\\(.)|(\*+)|(\?)|(\[!?[^\]]+\])|(.)", _glyph, part)
        parts.append(text)
    expression = "/".join(parts)
    expression = expression.replace("**/", "(?:.*/)?")
    return expression.replace("/**", "/.*").replace("**", ".*")


def _glyph(found: re.Match[str]) -> str:
    escaped, stars, mark, group, letter = found.groups()
    if stars:
        return "[^/]*"
    if mark:
        return "[^/]"
    if group:
        return "[^" + group[2:] if group.startswith("[!") else group
    return re.escape(escaped or letter)


def _lines(path: Path) -> list[str]:
    return path.read_text(errors="replace").splitlines() if path.is_file() else []


_SECRET_RULES = tuple(rules(SECRETS))
