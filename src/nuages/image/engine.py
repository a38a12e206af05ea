"""What a build asks of a container engine, whichever it is: a working container, programs run in it, images in and out.

    an image's archive ─make─▶ working container ─run─▶ files in mounted folders
                                                 └save▶ archive of another image

Everything else of an image is put together by nuages itself, so its bytes are the same with each engine.
"""

from __future__ import annotations

import os
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, NamedTuple

from nuages.errors import CommandFailed
from nuages.host.command import run

# Last lines of a program that are kept for the error, should it fail.
KEPT = 60
# And those of a Dockerfile's build.
LAST = 15

Say = Callable[[str], None]


class Volume(NamedTuple):
    """A folder or file of this machine as the container sees it."""

    source: Path
    target: str
    writable: bool = False

    def __str__(self) -> str:
        return f"{self.source}:{self.target}" + ("" if self.writable else ":ro")


class Engine(ABC):
    """One program that runs containers and builds Dockerfiles."""

    name: ClassVar[str]
    answered: ClassVar[str]
    """What a pull prints once it has the manifest."""
    prefix: ClassVar[str]
    """How the names of its working containers begin."""
    sees_machine: ClassVar[bool] = True
    """Whether the build of a Dockerfile can be shown files of this machine."""

    @abstractmethod
    def trouble(self) -> str:
        """Why it can't be used here, in a few words; "" where it can."""

    @abstractmethod
    def known(self, name: str) -> bool:
        """Whether there is a working container of this name."""

    @abstractmethod
    def make(self, name: str, archive: Path, reference: str, say: Say, script: str = "") -> None:
        """Make a working container of an archive, and let a shell script change what is in it.

        Raises:
            CommandFailed: the script ended with an error; no container is left.
        """

    @abstractmethod
    def run(
        self,
        name: str,
        program: Sequence[str],
        say: Say,
        *,
        volumes: Sequence[Volume] = (),
        env: Mapping[str, str] | None = None,
        offline: bool = False,
    ) -> str:
        """Run a program in a working container; see `container.inside`."""

    @abstractmethod
    def save(self, name: str, below: Path, reference: str, to: Path) -> None:
        """Write a working container, made of the archive `below`, as an archive under a name; all its times are 0."""

    @abstractmethod
    def remove(self, name: str) -> None:
        """Remove a working container."""

    @abstractmethod
    def offer(self, archive: Path, reference: str, told: Callable[[], Say]) -> None:
        """See to it that FROM finds an archive under its name; `told` is asked for who hears of it, should that take
        time.
        """

    @abstractmethod
    def build(
        self, file: Path, context: Path, reference: str, say: Say, *, runtime: Path, volumes: Sequence[Volume]
    ) -> None:
        """Build a Dockerfile; the image is kept by the engine under its name."""

    @abstractmethod
    def export(self, reference: str, folder: Path, say: Say) -> None:
        """Write an image that the engine keeps as an OCI layout into a folder."""

    def pulling(self, reference: str) -> list[str]:
        """The command that pulls an image, even where one of its name is there."""
        return [self.name, "pull", reference]

    def mounted(self, name: str) -> str:
        """Where a working container's file system lies on this machine; "" where it can't be entered."""
        return ""

    def tidy(self) -> None:
        """Remove images that no working container stands on any more."""
        return


def dockerfile_arguments(
    file: Path, context: Path, reference: str, *, runtime: Path, volumes: Sequence[Volume]
) -> list[str | Path]:
    """What buildah and podman, which is built on it, are told alike to build a Dockerfile."""
    return [
        *("build", "--layers", "--isolation=chroot", "--network=host", "--format=oci"),
        *("--pull=false", "--timestamp=0", f"--tag={reference}", f"--file={file}"),
        f"--build-context=runtime={runtime}",
        *(f"--volume={volume}" for volume in volumes),
        context,
    ]


def no_users(unshare: Sequence[str]) -> str:
    """Why a user who is not root has no users to give to a container, found out by a program that would; "" where he
    has. An image's files belong to several.
    """
    if os.geteuid() == 0:
        return ""
    try:
        lines = run([*unshare, "cat", "/proc/self/uid_map"]).strip().splitlines()
    except CommandFailed as failed:
        last = (failed.detail.splitlines() or ["user namespaces are not allowed"])[-1]
        return re.sub(r"^(Error: |time=.*?msg=)", "", last).strip('" ')
    return "" if len(lines) > 1 else "/etc/subuid and /etc/subgid have no line for this user (or uidmap is missing)"
