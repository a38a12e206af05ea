"""podman and docker: each program runs in a container of its own, and a working container is an image of ours.

What they keep is shared with their user, so an image is put there under a name of ours and never in place of his.
"""

from __future__ import annotations

import json
import os
import re
import resource
import tempfile
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from nuages.errors import CommandFailed, MissingTool
from nuages.host import programs
from nuages.host.command import follow, run
from nuages.image import engine_archives, layout, oci
from nuages.image.engine import KEPT, LAST, Engine, Say, Volume, dockerfile_arguments, no_users

# The engine's own words, where no program was started.
_BROKEN = re.compile(
    r"^(?:Error: (?=runc|crun|OCI|creating|netavark)|docker: Error response from daemon: )(.+)$", re.MULTILINE
)
_HOME = "/tmp"  # noqa: S108 - a container's own


class Client(Engine):
    """What podman and docker are told alike."""

    def known(self, name: str) -> bool:
        """Whether there is the image that stands for it."""
        return self._has(_tag(name))

    def make(self, name: str, archive: Path, reference: str, say: Say, script: str = "") -> None:
        """An image of ours, with what the script changed on top."""
        self._load(layout.read(archive), _tag(name), archive.parent)
        if script:
            made = f"nuages-{uuid4().hex[:12]}"
            try:
                self._run(made, name, ["sh", "-c", script], say, ["--network=host", "--user=0:0"])
                run([self.name, "commit", made, _tag(name)])
            except BaseException:
                with suppress(CommandFailed):
                    self.remove(name)
                raise
            finally:
                self._stop(made)

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
        """A container that is gone afterwards; nothing but what it wrote into mounted folders stays."""
        user = self._user() if any(volume.writable for volume in volumes) else ""
        known = dict(env or {})
        if user not in {"", "0:0"}:
            known.setdefault("HOME", _HOME)  # of somebody whom the image does not know
        options = [
            "--rm",
            f"--network={'none' if offline else 'host'}",
            *([f"--user={user}"] if user else []),
            *(f"--env={key}={value}" for key, value in known.items()),
            *(f"--volume={volume}" for volume in volumes),
        ]
        made = f"nuages-{uuid4().hex[:12]}"
        try:
            return self._run(made, name, program, say, options)
        except CommandFailed:
            raise
        except BaseException:  # interrupted: its program would go on
            self._stop(made)
            raise

    def save(self, name: str, below: Path, reference: str, to: Path) -> None:
        """The layers that the script made, times and owners' names left out, on the image as it was."""
        with tempfile.TemporaryDirectory(dir=to.parent, prefix="nuages-") as temporary:
            folder = Path(temporary)
            self.export(_tag(name), folder / "layout", lambda _: None)
            base = layout.read(below)
            known = {layer.diff_id for layer in base.layers}
            fresh = [layer for layer in layout.read(folder / "layout").layers if layer.diff_id not in known]
            layers = [engine_archives.settled(layer, folder, "system packages") for layer in fresh]
            layout.archive(oci.append(base, layers), [reference], to)

    def remove(self, name: str) -> None:
        """The image that stands for it."""
        run([self.name, "rmi", "--force", _tag(name)])

    def offer(self, archive: Path, reference: str, told: Callable[[], Say]) -> None:
        """Where its user has one of that name, that one counts: it is his."""
        if not self._has(reference):
            told()
            self._load(layout.read(archive), reference, archive.parent)

    @abstractmethod
    def _load(self, image: oci.Image, tag: str, beside: Path) -> None:
        """Put an image into its storage, by way of a file in the folder `beside`."""

    @abstractmethod
    def _user(self) -> str:
        """Who in the container is the user of this machine; "" where that is root."""

    def _options(self) -> list[str]:
        """More that a container of it is run with."""
        return []

    def _run(self, made: str, name: str, program: Sequence[str], say: Say, options: Sequence[str]) -> str:
        argv = [
            *(self.name, "run", f"--name={made}", "--pull=never", "--sig-proxy=false"),
            # Mounted folders keep the label that they have.
            "--security-opt=label=disable",
            *self._options(),
            *options,
            f"--entrypoint={program[0]}",
            _tag(name),
            *program[1:],
        ]
        try:
            return run(argv, lambda line: say(line.strip()), keep=KEPT)
        except CommandFailed as failed:
            if broken := _BROKEN.search(failed.detail):
                raise MissingTool(
                    f"{self.name} can't start a container: {broken[1]}",
                    hint="NUAGES_ENGINE=buildah, podman or docker chooses another engine",
                ) from None
            raise

    def _stop(self, made: str) -> None:
        with suppress(CommandFailed):  # it is gone
            run([self.name, "rm", "--force", made])

    def _has(self, reference: str) -> bool:
        with suppress(CommandFailed):
            run([self.name, "image", "inspect", "--format", "{{.Id}}", reference])
            return True
        return False


class Podman(Client):
    """podman, as root or as a user with users of his own (rootless)."""

    name = "podman"
    answered = "Getting image source signatures"
    prefix = "podman-"

    def trouble(self) -> str:
        """Without root it needs more than one user id."""
        if programs.found("podman") is None:
            return "not installed"
        if trouble := no_users(["podman", "unshare"]):
            return trouble
        try:
            run(["podman", "info", "--format", "{{.Host.OCIRuntime.Name}}"])
        except CommandFailed as failed:
            return _last(failed)
        return ""

    def build(
        self, file: Path, context: Path, reference: str, say: Say, *, runtime: Path, volumes: Sequence[Volume]
    ) -> None:
        """As buildah does it, which is in it."""
        run(
            ["podman", *dockerfile_arguments(file, context, reference, runtime=runtime, volumes=volumes)],
            say,
            keep=LAST,
        )

    def export(self, reference: str, folder: Path, say: Say) -> None:
        """Compressed as it would be pushed."""
        say(f"saving {reference}")
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix="nuages-") as temporary:
            file = Path(temporary) / "image.tar"
            run(["podman", "save", "--quiet", "--format=oci-archive", f"--output={file}", reference])
            engine_archives.unpacked(file, folder)

    def _load(self, image: oci.Image, tag: str, beside: Path) -> None:
        with tempfile.TemporaryDirectory(dir=beside, prefix="nuages-") as temporary:
            file = layout.archive(image, [tag], Path(temporary) / "image.tar")
            run(["podman", "pull", "--quiet", f"oci-archive:{file}:{tag}"])

    def _options(self) -> list[str]:
        # As here: its own defaults are above what root may set in the container of a CI service.
        _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
        _, processes = resource.getrlimit(resource.RLIMIT_NPROC)
        most = int(Path("/proc/sys/kernel/pid_max").read_text())  # podman holds itself to that
        processes = most if processes == resource.RLIM_INFINITY else min(processes, most)
        return [f"--ulimit=nofile={files}:{files}", f"--ulimit=nproc={processes}:{processes}"]

    def _user(self) -> str:
        return "" if os.geteuid() == 0 else "0:0"  # root in there is whoever started it


class Docker(Client):
    """docker, whose daemon runs on this machine and is open to the user."""

    name = "docker"
    answered = ": Pulling from "
    prefix = "docker-"
    sees_machine = False

    def trouble(self) -> str:
        """The daemon has to answer, and see the folders of this machine."""
        if programs.found("docker") is None:
            return "not installed"
        if os.environ.get("DOCKER_HOST", "unix:").partition(":")[0] != "unix":
            return "its daemon (DOCKER_HOST) does not see the folders of this machine"
        try:
            _security()
        except (CommandFailed, ValueError) as failed:
            return _last(failed) if isinstance(failed, CommandFailed) else "its daemon does not answer"
        return ""

    def build(
        self, file: Path, context: Path, reference: str, say: Say, *, runtime: Path, volumes: Sequence[Volume]
    ) -> None:
        """By BuildKit, which shows no file of this machine to a build: `volumes` are left out.

        Raises:
            MissingTool: docker's program has no buildx.
        """
        try:
            run(["docker", "buildx", "version"])
        except CommandFailed:
            raise MissingTool(
                "docker builds a Dockerfile by buildx, which is not installed",
                hint="install docker's buildx plugin; NUAGES_ENGINE=buildah or podman needs none",
            ) from None
        argv: list[str | Path] = [
            *("docker", "buildx", "build", "--load", "--progress=plain", "--provenance=false", "--network=host"),
            *("--build-arg=SOURCE_DATE_EPOCH=0", f"--tag={reference}", f"--file={file}"),
            f"--build-context=runtime={runtime}",
            context,
        ]
        run(argv, say, keep=LAST)

    def export(self, reference: str, folder: Path, say: Say) -> None:
        """Saved, and made an OCI layout."""
        say(f"saving {reference}")
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix="nuages-") as temporary:
            saved, file = Path(temporary) / "saved.tar", Path(temporary) / "image.tar"
            run(["docker", "save", f"--output={saved}", reference])
            layout.archive(engine_archives.of_docker(saved, Path(temporary)), [reference], file)
            engine_archives.unpacked(file, folder)

    def pulling(self, reference: str) -> list[str]:
        """With the daemon's mirrors and the user's credentials."""
        return ["docker", "pull", reference]

    def _load(self, image: oci.Image, tag: str, beside: Path) -> None:
        with tempfile.TemporaryDirectory(dir=beside, prefix="nuages-") as temporary:
            file = engine_archives.for_docker(image, tag, Path(temporary) / "image.tar")
            follow(["docker", "load", "--input", file], lambda _: None)

    def _user(self) -> str:
        if os.geteuid() == 0:
            return ""
        rootless = any("name=rootless" in said for said in _security())
        return "0:0" if rootless else f"{os.getuid()}:{os.getgid()}"

    def _options(self) -> list[str]:
        return ["--userns=host"]  # a daemon that remaps users would write as nobody's


def _security() -> list[str]:
    """How docker's daemon confines containers: "name=rootless", "name=seccomp,profile=..."."""
    found: list[str] = json.loads(run(["docker", "info", "--format", "{{json .SecurityOptions}}"]).strip() or "x") or []
    return found


def _tag(name: str) -> str:
    return f"localhost/nuages/working:{name}"


def _last(failed: CommandFailed) -> str:
    told = failed.detail.strip().splitlines()
    return told[-1].removeprefix("Error: ").removeprefix("ERROR: ") if told else "it does not answer"
