"""Programs that nuages needs of this machine and that Debian has: installed where they are missing, and said so."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from nuages.errors import CommandFailed, MissingTool
from nuages.host.command import SBIN, follow
from nuages.progress import Sink, step

LOCKED = "Could not get lock /var/lib/apt/lists/lock"
"""What apt-get says where another one has it; of a lock that can't be opened at all it says something else."""
PATIENCE = 300
"""Seconds that another apt-get may take."""


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
    quiet = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    with step(sink, f"install {listed}", expected=30) as doing:
        _updated(apt, doing.say, quiet)
        # Daemons that a package would start are not needed: a cluster runs a containerd of its own.
        recommended = "--no-install-recommends"
        patient = f"--option=DPkg::Lock::Timeout={PATIENCE}"  # a fresh machine may be installing its updates
        argv = [apt, "install", "-y", "-q", patient, recommended, *packages]
        follow(argv, doing.say, env={**quiet, "RUNLEVEL": "1"})


def _updated(apt: str, say: Callable[[str], None], env: Mapping[str, str]) -> None:
    """Bring the lists of packages up to date. For their lock apt-get itself does not wait, as it does for dpkg's.

    Raises:
        CommandFailed: they can't be had, or somebody holds their lock for PATIENCE.
    """
    end = time.monotonic() + PATIENCE
    while True:
        try:
            follow([apt, "update", "-q"], say, env=env)
        except CommandFailed as failed:
            if LOCKED not in failed.detail or time.monotonic() > end:
                raise
            say("waiting for another apt-get")
            time.sleep(1)
        else:
            return
