"""A working container: where the project's own Python runs while its image is built. buildah makes it, without a
daemon.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from nuages.errors import CommandFailed
from nuages.host.command import run

# What buildah adds to the output of a program that failed.
_ADDED = re.compile(r"^(subprocess exited with status \d+|Error: exit status \d+)\n?", re.MULTILINE)
# Last lines of a program that are kept for the error, should it fail.
KEPT = 60

# chroot isolation has the network of whoever starts it: one with nothing in it, in a user namespace where root is none.
OFFLINE = ("unshare", "--net") if os.geteuid() == 0 else ("unshare", "--map-root-user", "--net")


class Volume(NamedTuple):
    """A folder or file of this machine as the container sees it."""

    source: Path
    target: str
    writable: bool = False

    def __str__(self) -> str:
        return f"{self.source}:{self.target}" + ("" if self.writable else ":ro")


def inside(
    container: str,
    program: Sequence[str],
    say: Callable[[str], None],
    *,
    volumes: Sequence[Volume] = (),
    env: Mapping[str, str] | None = None,
    offline: bool = False,
) -> str:
    """Run a program in a container and answer its standard output; lines of standard error are told as they come.

    `offline`: it has no network.

    chroot isolation with the machine's own network: it works without a bridge, as root and in a user namespace alike.
    `env` is seen by every user of this machine: nothing secret.

    Raises:
        CommandFailed: it ended with an error; `detail` has its last lines, without buildah's own.
    """
    mounts = [f"--volume={volume}" for volume in volumes]
    variables = [f"--env={name}={value}" for name, value in (env or {}).items()]
    seen = ["--isolation=chroot", "--network=host", *mounts, *variables]

    def heard(line: str) -> None:
        if not _ADDED.fullmatch(line):
            say(line.strip())

    try:
        return run(
            [*(OFFLINE if offline else ()), "buildah", "run", *seen, container, "--", *program], heard, keep=KEPT
        )
    except CommandFailed as failed:
        failed.detail = _ADDED.sub("", failed.detail).rstrip()
        raise
