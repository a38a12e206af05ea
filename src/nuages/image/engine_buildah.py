"""buildah: no daemon, and working containers that stay, so that a change of one line starts nothing anew."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from nuages.errors import CommandFailed
from nuages.host import programs
from nuages.host.command import follow, run
from nuages.image import layout
from nuages.image.engine import KEPT, LAST, Engine, Say, Volume, dockerfile_arguments, no_users

# What buildah adds to the output of a program that failed.
_ADDED = re.compile(r"^(subprocess exited with status \d+|Error: exit status \d+)\n?", re.MULTILINE)
# chroot isolation has the network of whoever starts it: one with nothing in it, in a user namespace where root is none.
OFFLINE = ("unshare", "--net") if os.geteuid() == 0 else ("unshare", "--map-root-user", "--net")


class Buildah(Engine):
    """Its storage has system images under their own names, and a working container on each."""

    name = "buildah"
    answered = "Getting image source signatures"
    prefix = "nuages-"

    def trouble(self) -> str:
        """Root is believed without a question, which would cost each build a tenth of a second."""
        if programs.found("buildah") is None:
            return "not installed"
        return no_users(["buildah", "unshare"])

    def known(self, name: str) -> bool:
        """Asked of its storage."""
        return _known("container", name)

    def make(self, name: str, archive: Path, reference: str, say: Say, script: str = "") -> None:
        """From the image in its storage, where it is put first."""
        if not reference.startswith("localhost/"):
            self.offer(archive, reference, lambda: say)
        elif not _known("image", reference):
            if archive.is_dir():  # a layout has no name in it
                image = run(["buildah", "pull", "--quiet", f"oci:{archive}"]).strip()
                run(["buildah", "tag", image, reference])
            else:
                run(["buildah", "pull", "--quiet", f"oci-archive:{archive}:{reference}"])
        run(["buildah", "from", "--pull-never", f"--name={name}", reference])
        if script:
            try:
                self.run(name, ["sh", "-c", script], say)
            except BaseException:
                self.remove(name)
                raise

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
        """Chroot isolation with the machine's own network: it works without a bridge, as root and in a user namespace
        alike.
        """
        mounts = [f"--volume={volume}" for volume in volumes]
        variables = [f"--env={key}={value}" for key, value in (env or {}).items()]
        seen = ["--isolation=chroot", "--network=host", *mounts, *variables]

        def heard(line: str) -> None:
            if not _ADDED.fullmatch(line):
                say(line.strip())

        try:
            return run([*(OFFLINE if offline else ()), "buildah", "run", *seen, name, "--", *program], heard, keep=KEPT)
        except CommandFailed as failed:
            failed.detail = _ADDED.sub("", failed.detail).rstrip()
            raise

    def save(self, name: str, below: Path, reference: str, to: Path) -> None:
        """Its own commit, which also keeps the image for the working containers to come."""
        run(["buildah", "commit", "--quiet", "--format=oci", "--timestamp=0", name, reference])
        run(["buildah", "push", "--quiet", reference, f"oci-archive:{to}:{reference}"])

    def remove(self, name: str) -> None:
        """The container; its image stays."""
        run(["buildah", "rm", name])

    def offer(self, archive: Path, reference: str, told: Callable[[], Say]) -> None:
        """Under the image's own name, in place of another image of that name: its storage serves little else."""
        wanted = layout.read(archive).id.removeprefix("sha256:")
        try:
            present = run(["buildah", "inspect", "--type", "image", "--format", "{{.FromImageID}}", reference])
        except CommandFailed:
            present = ""
        if present.strip() != wanted:
            follow(["buildah", "pull", "--quiet", f"oci-archive:{archive}:{reference}"], told())

    def build(
        self, file: Path, context: Path, reference: str, say: Say, *, runtime: Path, volumes: Sequence[Volume]
    ) -> None:
        """Each step is kept for the next build."""
        run(
            ["buildah", *dockerfile_arguments(file, context, reference, runtime=runtime, volumes=volumes)],
            say,
            keep=LAST,
        )

    def export(self, reference: str, folder: Path, say: Say) -> None:
        """As it would be pushed."""
        follow(["buildah", "push", "--quiet", reference, f"oci:{folder}"], say)

    def pulling(self, reference: str) -> list[str]:
        """Mirrors and credentials that it is set up with hold."""
        return ["buildah", "pull", "--policy", "always", reference]

    def mounted(self, name: str) -> str:
        """Only root can enter it from outside of a user namespace."""
        if os.geteuid() != 0:
            return ""
        try:
            return run(["buildah", "mount", name]).strip()
        except CommandFailed:
            return ""

    def tidy(self) -> None:
        """Those that Debian packages were added to; base images stay."""
        chosen = ("--format", "{{.Name}}:{{.Tag}}", "--filter", "reference=localhost/nuages/system")
        for image in run(["buildah", "images", *chosen]).split():
            with suppress(CommandFailed):  # a container stands on it
                run(["buildah", "rmi", image])


def _known(kind: str, name: str) -> bool:
    with suppress(CommandFailed):
        run(["buildah", "inspect", "--type", kind, name])
        return True
    return False
