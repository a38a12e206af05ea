"""The few host programs that a node needs and that Debian has: installed where they are missing, and said so."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from nuages.errors import MissingTool
from nuages.local.process import run
from nuages.progress import Sink, step


class Program(NamedTuple):
    """A file that tells that a package is there; a name is looked for on the PATH and in sbin."""

    file: str
    package: str


NODE = (
    Program("containerd", "containerd"),
    Program("ctr", "containerd"),
    Program("runc", "runc"),
    Program("/usr/lib/cni/bridge", "containernetworking-plugins"),
    Program("iptables", "iptables"),
    Program("nft", "nftables"),
    Program("ip", "iproute2"),
    Program("nsenter", "util-linux"),
    Program("mount", "mount"),
)
SBIN = "/usr/local/sbin:/usr/sbin:/sbin"


def found(file: str) -> str | None:
    """The path of a program, also where sbin is not on the user's PATH."""
    if file.startswith("/"):
        return file if Path(file).exists() else None
    return shutil.which(file) or shutil.which(file, path=SBIN)


def missing(programs: Sequence[Program]) -> list[str]:
    """The packages to install, each once."""
    return sorted({program.package for program in programs if found(program.file) is None})


def ensure(programs: Sequence[Program], sink: Sink) -> None:
    """Install what is missing by apt-get.

    Raises:
        MissingTool: something is missing and cannot be installed: no apt-get, or no root.
    """
    packages = missing(programs)
    if not packages:
        return
    listed = " ".join(packages)
    apt = found("apt-get")
    if apt is None:
        raise MissingTool(
            f"this machine lacks {listed}", hint="install them; nuages does it itself only where apt-get is"
        )
    if os.geteuid() != 0:
        raise MissingTool(f"this machine lacks {listed}", hint=f"run: sudo apt-get install {listed}")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    with step(sink, f"install {listed}", expected=30):
        run([apt, "update", "-q"], env=quiet)
        # A containerd that Debian's package would start is not needed: a cluster runs one of its own.
        run([apt, "install", "-y", "-q", "--no-install-recommends", *packages], env={**quiet, "RUNLEVEL": "1"})
