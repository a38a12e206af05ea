"""pdm.lock with the pyproject.toml it was made from.

Format: https://pdm-project.org/en/latest/usage/lockfile/ (an entry of its own for a package with extras).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from packaging.utils import canonicalize_name as normal

from nuages.project.locks import Lock, Need, Package, Table, requirement, table
from nuages.project.locks_poetry import standard_group


def read(root: Path, extras: Sequence[str], groups: Sequence[str]) -> Lock:
    """The lock of a project, with what its dependencies, these extras and these groups ask for."""
    content, project = table(root / "pdm.lock"), table(root / "pyproject.toml")
    packages: dict[str, tuple[Package, ...]] = {}
    # What a package needs with an extra is an entry of its own, after the plain one or before it.
    for found in sorted(content.get("package", []), key=lambda one: bool(one.get("extras"))):
        name = normal(found["name"])
        known = packages.get(name, ())
        same = next((one for one in known if one.version == found.get("version", "")), None)
        if found.get("extras") and same is not None:
            wanted = _needs(found, name)
            added = {**same.extras, **{str(normal(extra)): wanted for extra in found["extras"]}}
            packages[name] = tuple(one._replace(extras=added) if one is same else one for one in known)
        else:
            packages[name] = (*known, _package(found, name))
    return Lock("pdm.lock", _roots(project, extras, groups), packages, "pdm lock")


def _roots(project: Table, extras: Sequence[str], groups: Sequence[str]) -> tuple[Need, ...]:
    declared: Table = project.get("project", {})
    wanted = [*declared.get("dependencies", [])]
    for name in (*extras, *groups):
        wanted += declared.get("optional-dependencies", {}).get(name, [])
        wanted += standard_group(project, name)
        wanted += project.get("tool", {}).get("pdm", {}).get("dev-dependencies", {}).get(name, [])
    return tuple(need for text in wanted if (need := requirement(text)))


def _package(found: Table, name: str) -> Package:
    source, editable = "", bool(found.get("editable"))
    if "git" in found:
        source = f"git+{found['git']}@{found.get('revision') or found.get('ref', '')}"
    elif "url" in found:
        source = found["url"]
    elif "path" in found:
        source = "./" + found["path"].removeprefix("./")
    if source and found.get("subdirectory"):
        source += f"#subdirectory={found['subdirectory']}"
    return Package(
        name,
        found.get("version", ""),
        _needs(found, name),
        dict.fromkeys(map(normal, found.get("extras", ())), ()),
        tuple(file["hash"] for file in found.get("files", []) if "hash" in file),
        source,
        editable,
        found.get("requires_python", ""),
    )


def _needs(found: Table, name: str) -> tuple[Need, ...]:
    read = (requirement(text) for text in found.get("dependencies", []))
    return tuple(need for need in read if need and need.name != name)
