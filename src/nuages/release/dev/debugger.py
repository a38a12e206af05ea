"""debugpy, for the pod: it is in no image, and a pod may have no way to an index. It is fetched here, once for each
Python, and sent along.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from pathlib import Path

from nuages.errors import CommandFailed, MissingTool
from nuages.host import command
from nuages.host.places import cache
from nuages.progress import Sink, step

VERSION = "1.8.22"
# Where the cluster's is another, debugpy goes on without what is compiled for this one.
_MACHINE = {"arm64": "aarch64"}.get(platform.machine(), platform.machine())


def files(python: str, sink: Sink) -> dict[str, bytes]:
    """Everything that is to be sent, by its path below the pod's folder of tools; `python` is the image's: `3.13`.

    Raises:
        CommandFailed: the index does not have it, or is not reached.
    """
    folder = cache() / "debugpy" / f"{VERSION}-{python}"
    if not folder.is_dir():
        with step(sink, f"debugpy {VERSION}"):
            _fetched(python, folder)
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix not in {".pyc", ".pyi", ".exe", ".dll", ".dylib"}
    }


def _fetched(python: str, folder: Path) -> None:
    """Whole or not at all."""
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if uv is None:
        raise MissingTool("uv is not there, which comes with nuages", hint="install nuages again")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        target = Path(temporary) / "made"
        wanted = ["--python-version", python, "--python-platform", f"{_MACHINE}-manylinux_2_28"]
        line = [uv, "pip", "install", "--no-config", "--quiet", "--no-deps", "--target", str(target), *wanted]
        try:
            command.run([*line, f"debugpy=={VERSION}"])
        except CommandFailed as failed:
            hint = "uv reads UV_INDEX_URL where another index is to be asked"
            raise CommandFailed(failed.message, detail=failed.detail, hint=hint) from failed
        target.rename(folder)
