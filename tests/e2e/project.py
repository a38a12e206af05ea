"""A copy of a Django project with its nuages.yaml, and the command line on it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TextIO

from screen import Screen

ROOT = Path(__file__).parents[2]
BROKEN = """
if env.bool("BROKEN", False):
    from django.core.exceptions import ImproperlyConfigured

    raise ImproperlyConfigured("Set the SENTRY_DSN environment variable")
"""


class Project:
    """A copy of a Django project with its nuages.yaml, and the command line on it."""

    def __init__(self, folder: Path, kubeconfig: Path) -> None:
        self.folder = folder
        self.spec = folder / "nuages.yaml"
        self._env = os.environ | {"KUBECONFIG": str(kubeconfig), "COLUMNS": "120"}

    def edit(self, **replaced: str) -> None:
        """Replace text in the spec: edit(orange="maroon")."""
        text = self.spec.read_text()
        for old, new in replaced.items():
            assert old in text
            text = text.replace(old, new)
        self.spec.write_text(text)

    def start(self, *arguments: str, stdout: int | TextIO = subprocess.PIPE) -> subprocess.Popen[str]:
        """Start `nuages ...` and don't wait for it."""
        command = [sys.executable, "-m", "nuages", *arguments]
        return subprocess.Popen(
            command, cwd=self.folder, env=self._env, text=True,
            stdin=subprocess.PIPE, stdout=stdout, stderr=subprocess.PIPE,
        )  # fmt: skip

    def screen(self, *arguments: str, columns: int = 80, rows: int = 24) -> Screen:
        """Start `nuages ...` in a terminal of its own."""
        command = [sys.executable, "-m", "nuages", *arguments]
        env = {name: value for name, value in self._env.items() if name != "COLUMNS"} | {"TERM": "xterm-256color"}
        return Screen(command, self.folder, env, columns=columns, rows=rows)

    def nuages(self, *arguments: str, code: int = 0, text: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run `nuages ...` with this on its standard input, and expect its exit code."""
        process = self.start(*arguments)
        out, err = process.communicate(text, timeout=1200)
        assert process.returncode == code, f"exit code {process.returncode}\n{out}\n{err}"
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def status(self) -> dict[str, object]:
        return json.loads(self.nuages("status", "--json").stdout)


def blog_in(folder: Path, cluster, namespace: str) -> Project:
    """The example blog in a folder of its own, to be deployed to a namespace of its own."""
    shutil.copytree(ROOT / "examples" / "blog", folder)
    with (folder / "blog" / "settings.py").open("a") as settings:
        settings.write(BROKEN)
    text = (ROOT / "examples" / "plain.nuages.yaml").read_text()
    # Two tests share the node's two cores at once.
    text = text.replace("resources: {cpu: 100m,", "resources: {cpu: 50m,")
    local = "  local:\n"
    assert local in text
    bound = f"{local}    namespace: {namespace}\n    cluster: {cluster.context}\n"
    (folder / "nuages.yaml").write_text(text.replace(local, bound))
    return Project(folder, cluster.kubeconfig)
