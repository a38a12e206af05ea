"""Real programs on the other side of what people type: a language server, shells, a man page reader.

What is missing is installed: npm packages by their lock into the cache, shells as Debian's packages.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from language_server import LanguageServer

from nuages.host import places
from nuages.host.programs import ensure
from nuages.progress import silent
from nuages.spec import schema

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent / "e2e"))  # its terminal
SHELLS = {"zsh": "zsh", "fish": "fish", "groff": "groff", "man": "man-db"}
"""Program -> Debian's package that has it; bash is on every machine."""


@pytest.fixture(scope="session")
def programs() -> None:
    """The shells, and what reads man pages."""
    ensure(SHELLS, silent)


@pytest.fixture(scope="session")
def modules() -> Path:
    """node_modules with exactly what package-lock.json names."""
    digest = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()[:16]
    folder = places.cache() / "editor" / digest
    if not (folder / "node_modules" / ".package-lock.json").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        for file in ("package.json", "package-lock.json"):
            shutil.copy(HERE / file, folder)
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=folder, check=True)
    return folder / "node_modules"


@pytest.fixture(scope="module")
def server(modules: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanguageServer]:
    """The language server in a folder in which the schema lies that `nuages init` writes."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copy(schema.FILE, folder)
    program = modules / "yaml-language-server" / "bin" / "yaml-language-server"
    found = LanguageServer(["node", str(program), "--stdio"], folder)
    yield found
    found.close()
