"""Pipfile.lock: a flat list per category; and Pipfile, where there is no lock.

Format: https://pipenv.pypa.io/en/latest/pipfile.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from packaging.utils import canonicalize_name as normal

from nuages.project.locks import Need, Package, Table, holds, shaped, table, unreadable


def locked(root: Path, groups: Sequence[str], env: dict[str, str]) -> Iterator[tuple[Package, frozenset[str]]]:
    """What Pipfile.lock installs: the default category and those that are asked for ("dev" is `develop`)."""
    with shaped(root / "Pipfile.lock"):
        content = _json(root / "Pipfile.lock")
        seen = set()
        for category in ("default", *("develop" if group == "dev" else group for group in groups)):
            for name, said in content.get(category, {}).items():
                if normal(name) not in seen and holds(said.get("markers", ""), env):
                    seen.add(normal(name))
                    version = said.get("version", "").removeprefix("==")
                    package = Package(
                        normal(name),
                        version,
                        hashes=tuple(said.get("hashes", ())),
                        source=_source(said),
                        editable=bool(said.get("editable")),
                    )
                    yield package, frozenset(said.get("extras", ()))


def declared(root: Path, groups: Sequence[str]) -> Iterator[tuple[Need, str]]:
    """What a Pipfile asks for, and the source of each, "" where that is an index."""
    content = table(root / "Pipfile")
    for section in ("packages", *("dev-packages" if group == "dev" else group for group in groups)):
        for name, said in content.get(section, {}).items():
            about: Table = said if isinstance(said, dict) else {"version": said}
            version = str(about.get("version", "")).replace("*", "", 1) if about.get("version") == "*" else None
            versions = str(about.get("version", "")) if version is None else version
            yield (
                Need(normal(name), frozenset(map(normal, about.get("extras", ()))), about.get("markers", ""), versions),
                _source(about),
            )


def sources(root: Path, *, locked: bool) -> list[str]:
    """The URLs of the package indexes, the first being the default."""
    content = _json(root / "Pipfile.lock").get("_meta", {}).get("sources", []) if locked else None
    return [found["url"] for found in (table(root / "Pipfile").get("source", []) if content is None else content)]


def _source(said: Table) -> str:
    below = f"#subdirectory={said['subdirectory']}" if said.get("subdirectory") else ""
    if "git" in said:
        return f"git+{said['git']}" + (f"@{said['ref']}" if said.get("ref") else "") + below
    if "path" in said:
        return said["path"] if said["path"].startswith(".") else f"./{said['path']}"
    return str(said.get("file") or said.get("url") or "")


def _json(path: Path) -> Table:
    try:
        content: Table = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise unreadable(path, str(error)) from None
    return content
