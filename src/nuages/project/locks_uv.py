"""uv.lock: what it installs. For facts only; the installer gets uv's own export of it.

Format: https://docs.astral.sh/uv/concepts/projects/layout/#the-lockfile
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from packaging.utils import canonicalize_name as normal

from nuages.project.locks import Lock, Need, Package, Table, table


def read(root: Path, project: str, extras: Sequence[str], groups: Sequence[str]) -> Lock:
    """The lock in a folder, with what the workspace's member `project` asks for; its local packages are no packages."""
    packages: dict[str, tuple[Package, ...]] = {}
    roots: tuple[Need, ...] = ()
    for found in table(root / "uv.lock").get("package", []):
        name, source = normal(found["name"]), found.get("source", {})
        local = next((kind for kind in ("virtual", "editable", "directory") if kind in source), None)
        extra_needs: dict[str, tuple[Need, ...]] = {
            normal(extra): _needs(said) for extra, said in found.get("optional-dependencies", {}).items()
        }
        if local and name == normal(project or name) and not roots:
            chosen = [need for extra in extras for need in extra_needs.get(normal(extra), ())]
            developed = {normal(group): said for group, said in found.get("dev-dependencies", {}).items()}
            chosen += [need for group in groups for need in _needs(developed.get(normal(group), []))]
            roots = (*_needs(found.get("dependencies", [])), *chosen)
        version = found.get("version", "")
        path = f"./{source[local]}" if local else ""
        one = Package(name, version, _needs(found.get("dependencies", [])), extra_needs, source=path)
        packages[name] = (*packages.get(name, ()), one)
    return Lock("uv.lock", roots, packages, "uv lock")


def _needs(said: list[Table]) -> tuple[Need, ...]:
    return tuple(
        Need(
            normal(one["name"]),
            frozenset(map(normal, one.get("extra", ()))),
            one.get("marker", ""),
            f"=={one['version']}" if "version" in one else "",
        )
        for one in said
    )
