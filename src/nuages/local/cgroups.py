"""The cgroups of one cluster, in every hierarchy of this machine (version 1, 2 or both)."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

COPIED = ("cpuset.cpus", "cpuset.mems")  # a new v1 cpuset has none, and no process may join it then


def hierarchies() -> list[Path]:
    """The mounted hierarchies: one for version 2, one for each controller of version 1."""
    lines = (line.split() for line in Path("/proc/self/mounts").read_text().splitlines())
    return sorted({Path(fields[1]) for fields in lines if fields[2] in {"cgroup", "cgroup2"}})


def create(name: str, pid: int) -> None:
    """Make /NAME in every hierarchy, for the kubelet's pods, and move `pid` to /NAME/node.

    The components leave the cgroup of the command that started them, so that they do not end with it.
    """
    for hierarchy in hierarchies():
        group = hierarchy / name / "node"
        for folder in (group.parent, group):
            hand_down(folder.parent)
            folder.mkdir(exist_ok=True)
            for file in COPIED:
                if (folder / file).exists():
                    (folder / file).write_text((folder.parent / file).read_text())
        (group / "cgroup.procs").write_text(str(pid))


def hand_down(folder: Path) -> None:
    """Let a version 2 group's children have all its controllers: the kubelet refuses a root that lacks one.

    Source: Validate in https://github.com/kubernetes/kubernetes/blob/v1.34.1/pkg/kubelet/cm/cgroup_v2_manager_linux.go
    """
    controllers = folder / "cgroup.controllers"
    for controller in controllers.read_text().split() if controllers.exists() else ():
        with suppress(OSError):  # one that can't be is missed by the kubelet only where it needs it, and named then
            (folder / "cgroup.subtree_control").write_text(f"+{controller}")


def remove(name: str, *, patience: float = 10.0) -> None:
    """Remove /NAME from every hierarchy, the innermost first. The kernel may need a moment after the last process."""
    deadline = time.monotonic() + patience
    for folder in (folder for hierarchy in hierarchies() for folder in _innermost_first(hierarchy / name)):
        while True:
            try:
                folder.rmdir()
            except FileNotFoundError:
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)  # no event tells when a cgroup of version 1 becomes empty
            else:
                break


def _innermost_first(folder: Path) -> Iterator[Path]:
    for path, _, _ in os.walk(folder, topdown=False):
        yield Path(path)
