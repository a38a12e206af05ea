"""Which file says what to install, and what it names. Read as text; resolving is the installer's work."""

from __future__ import annotations

import codecs
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nuages.project.facts import Dependencies

# PEP 508's name, an exact version where one is given; the rest (extras, markers, hashes) does not matter here.
_REQUIREMENT = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*(?:===?\s*([A-Za-z0-9.!+_-]+))?")
_INCLUDE = re.compile(r"^(?:-r|-c|--requirement|--constraint)[\s=]+(\S+)")
# Where a project keeps its production requirements, first choice first.
REQUIREMENTS = (
    "requirements.txt",
    "requirements/production.txt",
    "requirements/prod.txt",
    "requirements/base.txt",
    "requirements-prod.txt",
)


def dependencies(root: Path) -> Dependencies | None:
    """What a project installs: of a lock, requirements and pyproject.toml the most exact one that is there."""
    if (root / "uv.lock").is_file() and (root / "pyproject.toml").is_file():
        packages = {
            normal(package["name"]): package.get("version", "")
            for package in _toml(root / "uv.lock").get("package", [])
            # The project itself is in its lock, too.
            if not {"virtual", "editable"} & package.get("source", {}).keys()
        }
        return Dependencies(kind="uv.lock", files=("pyproject.toml", "uv.lock"), packages=packages)
    for name in REQUIREMENTS:
        if (root / name).is_file():
            files = tuple(_files(root, name))
            lines = [line for file in files for line in _lines(root / file)]
            return Dependencies(kind="requirements", files=files, packages=dict(_named(lines)))
    if (root / "pyproject.toml").is_file():
        declared = _toml(root / "pyproject.toml").get("project", {}).get("dependencies", [])
        if declared:
            return Dependencies(kind="pyproject", files=("pyproject.toml",), packages=dict(_named(declared)))
    return None


def normal(name: str) -> str:
    """A distribution's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def requires_python(root: Path) -> tuple[str, str] | None:
    """The Python that a project asks for, and the file that says so."""
    pinned = root / ".python-version"
    if pinned.is_file() and (first := pinned.read_text().split()):
        return first[0], pinned.name
    if (root / "pyproject.toml").is_file():
        wanted = _toml(root / "pyproject.toml").get("project", {}).get("requires-python")
        if isinstance(wanted, str):
            return wanted, "pyproject.toml"
    return None


def _files(root: Path, name: str) -> list[str]:
    """A requirements file and all that it includes, relative to the project, each once."""
    found = [name]
    for file in found:
        for line in _lines(root / file):
            if include := _INCLUDE.match(line):
                path = ((root / file).parent / include[1]).resolve()
                if path.is_file() and path.is_relative_to(root.resolve()):
                    included = str(path.relative_to(root.resolve()))
                    found += [included] * (included not in found)
    return found


def _lines(path: Path) -> list[str]:
    content = path.read_bytes()
    # PowerShell's `pip freeze > requirements.txt` writes UTF-16; pip and uv tell it by its mark, as we do.
    encoding = "utf-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    text = content.decode(encoding, errors="replace").replace("\\\n", " ")
    return [line.partition(" #")[0].strip() for line in text.splitlines()]


def _named(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        if found := _REQUIREMENT.match(line):
            yield normal(found[1]), found[2] or ""


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError:
        return {}
