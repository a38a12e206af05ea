"""Programs that nuages needs of this machine and that Debian has: installed where they are missing, and said so."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from nuages.errors import MissingTool
from nuages.host.command import SBIN, follow
from nuages.progress import Sink, step


def found(file: str) -> str | None:
    """The path of a program, also where sbin is not on the user's PATH."""
    if file.startswith("/"):
        return file if Path(file).exists() else None
    return shutil.which(file) or shutil.which(file, path=SBIN)


def missing(programs: Mapping[str, str]) -> list[str]:
    """The packages to install, each once."""
    return sorted({package for file, package in programs.items() if found(file) is None})


def ensure(programs: Mapping[str, str], sink: Sink) -> None:
    """Install what is missing by apt-get.

    Args:
        programs: a program's name, or a file's path, -> the Debian package that has it.
        sink: hears of the installation, where there is one.

    Raises:
        MissingTool: something is missing and cannot be installed: no apt-get, or no root.
        CommandFailed: a package cannot be had.
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
    with step(sink, f"install {listed}", expected=30) as doing:
        follow([apt, "update", "-q"], doing.say, env=quiet)
        # Daemons that a package would start are not needed: a cluster runs a containerd of its own.
        recommended = "--no-install-recommends"
        patient = "--option=DPkg::Lock::Timeout=300"  # a fresh machine may be installing its updates
        argv = [apt, "install", "-y", "-q", patient, recommended, *packages]
        follow(argv, doing.say, env={**quiet, "RUNLEVEL": "1"})
