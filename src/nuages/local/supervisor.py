"""Starting and asking the supervisor (cmd/node) of one cluster."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from nuages.errors import ClusterError, CommandFailed
from nuages.host.command import LAST_LINES, environment
from nuages.host.process import Process, children, process
from nuages.local.components import Component
from nuages.local.places import Places


class Mount(msgspec.Struct, frozen=True):
    """A bind mount, or a tmpfs where there is no source."""

    source: str
    target: str


class Sysctl(msgspec.Struct, frozen=True):
    """One setting of the node's network namespace."""

    name: str
    value: str


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """What the supervisor reads (cmd/node/config.go)."""

    namespaces: bool
    hostname: str = ""
    directory: str
    mounts: list[Mount] = []
    sysctls: list[Sysctl] = []
    components: list[Component]


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What the supervisor says of one component; `pid` as the node sees it, 0 while it does not run."""

    pid: int
    started: datetime
    restarts: int
    ready: bool


def start(config: Config, here: Places, program: Path, prepare: Callable[[Process], None]) -> Process:
    """Start the supervisor in a session of its own; it goes on when `prepare` (cgroups, network) is done with it.

    Should this command die before that, the supervisor sees its input end, and ends too.
    """
    written = here.root / "node.json"
    written.write_bytes(msgspec.json.format(msgspec.json.encode(config)))
    here.components.unlink(missing_ok=True)
    with subprocess.Popen(
        [program, "launch", written],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as launch:
        assert launch.stdin and launch.stdout and launch.stderr  # noqa: S101 - asked for; for the type checker
        answer = launch.stdout.readline().strip()
        node = process(int(answer)) if answer else None
        if node is None:
            launch.stdin.close()
            raise CommandFailed("the node's first process did not start", detail=launch.stderr.read())
        prepare(node)
        launch.stdin.write("go\n")
    return node


def end(process: Process | None) -> None:
    """End a supervisor and all that it started, and wait until they are gone: the kernel kills them when it dies."""
    if process and process.alive():
        for one in (process, *children(process.pid)):
            one.kill()


def states(here: Places) -> dict[str, State]:
    """What the supervisor said last; empty before it said anything."""
    try:
        return msgspec.json.decode(here.components.read_bytes(), type=dict[str, State])
    except FileNotFoundError:
        return {}


def wait_ready(names: Sequence[str], here: Places, node: Process, *, patience: float = 90) -> None:
    """Wait until these components were ready.

    Raises:
        ClusterError: they are not in time, or the supervisor ended; with the last lines of the log that tells why.
    """
    deadline = time.monotonic() + patience
    while waiting := [name for name in names if not (state := states(here).get(name)) or not state.ready]:
        if not node.alive():
            raise ClusterError("the node's first process ended", detail=last_lines(here.logs / "node.log"))
        if time.monotonic() > deadline:
            log = here.logs / f"{waiting[0]}.log"
            raise ClusterError(
                f"{waiting[0]} is not ready after {patience:.0f} s", detail=last_lines(log), hint=f"its log: {log}"
            )
        time.sleep(0.02)  # the file is replaced when something changes, a few times in all


def last_lines(log: Path) -> str:
    """The end of a log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-LAST_LINES:]) if log.exists() else ""
