"""One project from its files to its answers, as its user would go: init, what has to be typed, deploy, a look."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import yaml

from nuages.local.info import ClusterInfo
from nuages.spec.environments import merged

from . import smoke, sources
from .table import Entry

TOO_LONG = 1500  # seconds for one command: a first build of the biggest project, and its hundreds of migrations
STEPS = ("init", "type", "build", "deploy", "smoke")


class Failed(Exception):
    """A step did not do what it must; the text is what the tool, or the smoke test, said."""


class Result:
    """What became of one project: each step's seconds, and of the step that failed what was said."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.seconds: dict[str, float] = {}
        self.failed = ""
        self.said = ""
        self.typed: list[str] = []
        self.size: int | None = None
        self.address = ""
        self.seen: list[str] = []
        self.refused = False

    @property
    def good(self) -> bool:
        return not self.failed

    def mark(self, step: str) -> str:
        """How one step went, as the table shows it."""
        if self.failed == step:
            return f"✗ {self.seconds.get(step, 0):.0f} s"
        if step == "init" and self.refused:
            return "✓ refused"
        return f"✓ {self.seconds[step]:.0f} s" if step in self.seconds else ""


class Run:
    """A project in a folder and a namespace of its own on one cluster."""

    def __init__(
        self, name: str, entry: Entry, cluster: ClusterInfo, folder: Path, tell: Callable[[str], None]
    ) -> None:
        """`tell` hears of each step; `folder` is made, and belongs to this run."""
        self.name, self.entry, self.cluster = name, entry, cluster
        self.result = Result(name)
        self._folder, self._root, self._tell = folder, folder, tell
        self._env = {**os.environ, "KUBECONFIG": str(cluster.kubeconfig), "COLUMNS": "160", "NO_COLOR": "1"}
        for variable in ("DJANGO_SETTINGS_MODULE", "DATABASE_URL", "REDIS_URL"):
            self._env.pop(variable, None)

    @property
    def namespace(self) -> str:
        return f"{self.name}-local"

    def go(self, checkouts: Path | None = None) -> Result:
        """Take all steps, and stop at the first that fails."""
        step = "files"
        try:
            self._root = sources.put(self.name, self.entry, checkouts, self._folder / self.name)
            self.away(wait=True)  # what an earlier run left
            for step in STEPS:
                self._tell(step)
                begun = time.monotonic()
                try:
                    getattr(self, f"_{step}")()
                finally:
                    self.result.seconds[step] = time.monotonic() - begun
                if self.result.refused:
                    break
        except (Failed, smoke.Wrong, sources.Unavailable) as error:
            self.result.failed, self.result.said = step, str(error)
        return self.result

    def away(self, *, wait: bool = False) -> None:
        """Remove what a run made in the cluster: its whole namespace, the data too."""
        self._kubectl("delete", "namespace", self.namespace, "--ignore-not-found", f"--wait={str(wait).lower()}")

    def _init(self) -> None:
        if not self.entry.refused:
            self._nuages("init", "--yes", "--name", self.name)
            return
        try:
            self._nuages("init", "--yes", "--name", self.name)
            self._nuages("check")
            self._nuages("build")
        except Failed as error:
            missing = [word for word in self.entry.refused if word not in str(error)]
            if missing:
                raise Failed(f"refused without naming {', '.join(missing)}:\n{error}") from error
            self.result.refused, self.result.said = True, str(error)
        else:
            raise Failed("was not refused")

    def _type(self) -> None:
        """Write what the table says a user has to type: answers into the spec, and values of secrets."""
        if self.entry.answers:
            path = self._root / "nuages.yaml"
            path.write_text(
                yaml.safe_dump(merged(yaml.safe_load(path.read_text()), self.entry.answers), sort_keys=False)
            )
            self.result.typed += [f"nuages.yaml: {where}" for where in _leaves(self.entry.answers)]
        for name, value in self.entry.secrets.items():
            self._nuages("secrets", "set", name, *self._context, text=_value(value))
            self.result.typed.append(f"secret {name}")

    def _build(self) -> None:
        self._nuages("build")

    def _deploy(self) -> None:
        self._nuages("deploy", *self._context)
        status = json.loads(self._nuages("status", "--json", *self._context))
        if not status["addresses"]:
            raise Failed("status prints no address")
        self.result.address = status["addresses"][-1]
        self.result.size = self._size(status["image"])
        for command in self.entry.after:
            self._nuages(command[0], *self._context, *command[1:])
            self.result.typed.append(f"nuages {' '.join(command)}")

    def _smoke(self) -> None:
        for done in smoke.smoke(self.entry.smoke, self.result.address, self._owner):
            self.result.seen.append(done)

    def _owner(self, *arguments: str) -> str:
        """What the project's owner does in a smoke test: a management command, or the loss of every pod."""
        if arguments[0] == "restart":
            (pods,) = arguments[1:]
            self._kubectl("delete", "pods", "-n", self.namespace, "-l", f"app.kubernetes.io/component={pods}")
            return self._kubectl("rollout", "status", "-n", self.namespace, "deployment", "--timeout=600s")
        try:
            return self._nuages("manage", *self._context, "--", *arguments[1:])
        except Failed as error:
            raise smoke.Wrong(str(error)) from error

    @property
    def _context(self) -> list[str]:
        return ["--context", self.cluster.context]

    def _nuages(self, *arguments: str, text: str | None = None) -> str:
        """Run `nuages ...` in the project and answer what it printed.

        Raises:
            Failed: with what it said on its standard error, its progress left out.
        """
        command = [sys.executable, "-m", "nuages", *arguments]
        source = {"input": text} if text is not None else {"stdin": subprocess.DEVNULL}
        try:
            done = subprocess.run(
                command, cwd=self._root, env=self._env, capture_output=True, text=True, check=False,
                timeout=TOO_LONG, **source,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise Failed(f"nuages {arguments[0]} was still running after {TOO_LONG} s") from error
        with (self._folder / f"{self.name}.log").open("a") as log:
            log.write(f"$ nuages {' '.join(arguments)}\n{done.stdout}{done.stderr}[exit code {done.returncode}]\n")
        if done.returncode:
            raise Failed(_reason(done.stdout + done.stderr) or f"nuages {arguments[0]}: exit code {done.returncode}")
        return done.stdout

    def _kubectl(self, *arguments: str) -> str:
        done = subprocess.run([*self.cluster.kubectl, *arguments], capture_output=True, text=True, check=False)
        if done.returncode:
            raise smoke.Wrong(done.stderr.strip())
        return done.stdout

    def _size(self, image: str | None) -> int | None:
        """The image's size on the node in bytes; None where the node does not list it."""
        with contextlib.suppress(smoke.Wrong):
            (node,) = json.loads(self._kubectl("get", "nodes", "-o", "json"))["items"]
            digest = (image or "").rpartition("@")[2]
            for one in node["status"]["images"]:
                if digest and any(digest in name for name in one["names"]):
                    return int(one["sizeBytes"])
        return None


def _value(text: str) -> str:
    """The value of a secret: as it stands, or what a command prints."""
    if not text.startswith("$ "):
        return text
    return subprocess.run(shlex.split(text[2:]), capture_output=True, text=True, check=True).stdout


def _leaves(patch: object, place: str = "") -> list[str]:
    if not isinstance(patch, dict):
        return [place]
    return [leaf for key, value in patch.items() for leaf in _leaves(value, f"{place}.{key}" if place else key)]


def _reason(said: str) -> str:
    """What a failing command said, from its first mark of failure or finding on, and without its progress."""
    if "Traceback (most recent call last)" in said:
        return "nuages itself broke: " + "\n".join(said.strip().splitlines()[-3:])
    lines = [line for line in said.splitlines() if not re.match(r"\s*(·|✓|…)", line) and "info: " not in line]
    return "\n".join(lines).strip()
