"""poetry.lock (formats 1.0 to 2.1) with the pyproject.toml it was made from.

Format: https://github.com/python-poetry/poetry/blob/main/src/poetry/packages/locker.py
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name as normal

from nuages.project.locks import Lock, Need, Package, Table, requirement, table

# Poetry's caret and tilde, as Python's own specifiers have no such thing.
_PART = re.compile(r"^(\^|~(?!=)|>=|<=|==|!=|~=|>|<|=)?\s*v?([0-9][^\s,|]*)$")


def read(root: Path, extras: Sequence[str], groups: Sequence[str]) -> Lock:
    """The lock of a project, with what its main dependencies, these extras and these groups ask for."""
    content, project = table(root / "poetry.lock"), table(root / "pyproject.toml")
    old_files: Table = content.get("metadata", {}).get("files", {})
    packages: dict[str, tuple[Package, ...]] = {}
    for found in content.get("package", []):
        name = normal(found["name"])
        files = found.get("files") or old_files.get(found["name"], [])
        packages[name] = (*packages.get(name, ()), _package(found, files))
    roots = (*main(project, extras), *of_groups(project, groups))
    return Lock("poetry.lock", roots, packages, "poetry lock")


def main(project: Table, extras: Sequence[str] = ()) -> tuple[Need, ...]:
    """What a pyproject.toml of Poetry asks for in any case, and for these extras."""
    poetry: Table = project.get("tool", {}).get("poetry", {})
    standard: Table = project.get("project", {})
    chosen = {normal(name) for extra in extras for name in poetry.get("extras", {}).get(extra, [])}
    found = [
        need._replace(optional=False)
        for need in needs(poetry.get("dependencies", {}))
        if not need.optional or need.name in chosen
    ]
    wanted = [*standard.get("dependencies", [])]
    for extra in extras:
        wanted += standard.get("optional-dependencies", {}).get(extra, [])
    declared = _standard(wanted)
    named = {need.name for need in declared}
    # Both tables may name a package: Poetry's own then only says where it comes from.
    return (*declared, *(need for need in found if need.name not in named))


def of_groups(project: Table, groups: Iterable[str]) -> tuple[Need, ...]:
    """What groups ask for: Poetry's own, its older dev-dependencies, and standard dependency groups (PEP 735)."""
    poetry: Table = project.get("tool", {}).get("poetry", {})
    found: list[Need] = []
    for group in groups:
        found += needs(poetry.get("group", {}).get(group, {}).get("dependencies", {}))
        if group == "dev":
            found += needs(poetry.get("dev-dependencies", {}))
        found += _standard(standard_group(project, group))
    return tuple(need._replace(optional=False) for need in found)


def standard_group(project: Table, group: str, seen: tuple[str, ...] = ()) -> list[str]:
    """The requirements of a dependency group, with those it includes (PEP 735)."""
    groups: Table = project.get("dependency-groups", {})
    named = next((name for name in groups if normal(name) == normal(group)), None)
    if named is None or named in seen:
        return []
    found: list[str] = []
    for one in groups[named]:
        if isinstance(one, str):
            found.append(one)
        elif isinstance(one, dict) and "include-group" in one:
            found += standard_group(project, one["include-group"], (*seen, named))
    return found


def needs(declared: Table) -> Iterator[Need]:
    """The entries of a table of Poetry's: `name = "^1.0"`, `name = {version = …, extras = […]}`, or a list of these."""
    for name, said in declared.items():
        if normal(name) == "python":
            continue
        for one in said if isinstance(said, list) else [said]:
            about: Table = one if isinstance(one, dict) else {"version": one}
            markers = [about["markers"]] if about.get("markers") else []
            markers += [_python(about["python"])] if about.get("python") else []
            yield Need(
                normal(name),
                frozenset(map(normal, about.get("extras", ()))),
                " and ".join(f"({marker})" for marker in markers),
                specifier(str(about.get("version", ""))),
                bool(about.get("optional")),
            )


def sources(poetry: Table) -> dict[str, str]:
    """Where Poetry's dependencies come from that no index has: normalised name -> URL or path."""
    tables = [poetry.get("dependencies", {})]
    tables += [group.get("dependencies", {}) for group in poetry.get("group", {}).values()]
    found = {}
    for name, said in ((name, said) for declared in tables for name, said in declared.items()):
        if not isinstance(said, dict):
            continue
        below = f"#subdirectory={said['subdirectory']}" if said.get("subdirectory") else ""
        if "git" in said:
            at = said.get("rev") or said.get("tag") or said.get("branch")
            found[str(normal(name))] = f"git+{said['git']}{f'@{at}' if at else ''}{below}"
        elif "path" in said or "url" in said:
            path = str(said.get("path", ""))
            found[str(normal(name))] = said.get("url") or (path if path.startswith(".") else f"./{path}")
    return found


def specifier(versions: str) -> str:
    """Poetry's constraint as PEP 440 has it: `^1.2` is `>=1.2,<2`, `~1.2` is `>=1.2,<1.3`, `1.2` is `==1.2`.

    Alternatives (`||`) have no such form: any version then, the lock decides.
    Rule: https://python-poetry.org/docs/dependency-specification/#version-constraints
    """
    if "|" in versions:
        return ""
    parts = [part for part in re.split(r"\s*,\s*|\s+(?=[<>=!~^])", versions.strip()) if part]
    return ",".join(found for part in parts if (found := _specifier(part)))


def _specifier(part: str) -> str:
    matched = _PART.match(part)
    if not matched:
        return ""
    sign, version = matched[1] or "=", matched[2]
    if sign not in ("^", "~"):
        return f"=={version}" if sign == "=" else f"{sign}{version}"
    numbers = [int(number) for number in re.match(r"[0-9.]*[0-9]", version)[0].split(".")]  # type: ignore[index]
    if sign == "~":
        last = min(1, len(numbers) - 1)
    else:
        last = next((place for place, number in enumerate(numbers) if number), len(numbers) - 1)
    upper = [*numbers[:last], numbers[last] + 1]
    return f">={version},<{'.'.join(map(str, upper))}"


def _python(versions: str) -> str:
    return " and ".join(
        f"python_version {sign} '{number}'"
        for sign, number in re.findall(r"(>=|<=|==|!=|>|<)\s*([0-9.]+)", specifier(versions))
    )


def _package(found: Table, files: list[Table]) -> Package:
    return Package(
        normal(found["name"]),
        found["version"],
        tuple(needs(found.get("dependencies", {}))),
        {
            normal(extra): tuple(need for text in wanted if (need := _of_extra(text)))
            for extra, wanted in found.get("extras", {}).items()
        },
        tuple(file["hash"] for file in files),
        _source(found.get("source", {})),
        bool(found.get("develop")),
        found.get("python-versions", "").replace("*", ""),
    )


def _of_extra(text: str) -> Need | None:
    """`psycopg-binary (==3.2.1)`, in later formats with `; marker`."""
    return requirement(re.sub(r"\(([^)]*)\)", r"\1", text, count=1))


def _source(said: dict[str, Any]) -> str:
    kind, url = said.get("type", ""), said.get("url", "")
    below = f"#subdirectory={said['subdirectory']}" if said.get("subdirectory") else ""
    if kind == "git":
        return f"git+{url}@{said.get('resolved_reference') or said.get('reference')}{below}"
    if kind == "url":
        return f"{url}{below}"
    return f"./{url}".replace("././", "./") if kind in ("directory", "file") else ""


def _standard(wanted: Iterable[str]) -> list[Need]:
    return [need for text in wanted if (need := requirement(text))]
