"""A project's files in a folder of the run's own: from a checkout, a repository, a generator, or written here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from .table import HERE, Entry

LEFT_OUT = shutil.ignore_patterns("node_modules", ".venv", "__pycache__", "nuages.yaml", ".nuages")


class Unavailable(Exception):
    """The files of a project cannot be had here."""


def put(name: str, entry: Entry, checkouts: Path | None, folder: Path) -> Path:
    """Copy, clone or generate a project into `folder` and answer where its manage.py is.

    Args:
        checkouts: a checkout of this project, or a folder that has one under the project's name.

    Raises:
        Unavailable: with what was missing.
    """
    if source := _checkout(name, entry, checkouts):
        shutil.copytree(source, folder, ignore=LEFT_OUT, symlinks=True)
        return _root(folder, entry)
    folder.mkdir(parents=True)
    if entry.generate:
        for command in entry.generate:
            _run(command, folder)
    elif entry.repository:
        for command in (
            ["git", "init", "--quiet"],
            ["git", "fetch", "--quiet", "--depth=1", entry.repository, entry.commit],
            ["git", "checkout", "--quiet", "FETCH_HEAD"],
        ):
            _run(command, folder)
    else:
        raise Unavailable(f"no checkout of {name}: --path says where one is")
    return _root(folder, entry)


def _checkout(name: str, entry: Entry, checkouts: Path | None) -> Path | None:
    if entry.written:
        return HERE / "projects" / entry.written
    if checkouts is None:
        return None
    if (checkouts / name).is_dir():
        return checkouts / name
    return (
        checkouts if (checkouts / "manage.py").exists() or (checkouts / entry.folder / "manage.py").exists() else None
    )


def _root(folder: Path, entry: Entry) -> Path:
    """Where manage.py is: in the subfolder, or in the folder itself where a checkout is of the subfolder alone."""
    below = folder / entry.folder
    return below if below.is_dir() else folder


def _run(command: list[str], folder: Path) -> None:
    """Run a generator or git; `uvx` and `uv` are those of this project's own environment, where it has them."""
    own = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{own}{os.pathsep}{os.environ['PATH']}", "GIT_TERMINAL_PROMPT": "0"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()[-1]
        raise Unavailable(f"{' '.join(command[:3])}: {last}")
