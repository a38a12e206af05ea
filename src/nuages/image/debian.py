"""Images made from Debian's packages: a minimal Debian once, and what a recipe in `bases/` puts on top of it.

A recipe is a folder with a Containerfile and what it copies. It may leave lines NAME=value in /etc/image-env: what is
known only once the packages are there (versions) becomes environment of the image.
"""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from nuages.errors import MissingTool
from nuages.host import programs
from nuages.host.command import follow, run
from nuages.host.lock import locked
from nuages.image import blobs, layout, oci, tarballs
from nuages.progress import Sink, silent

RECIPES = Path(__file__).parent / "bases"
BUILDER = {"buildah": "buildah", "runc": "runc"}
PROGRAMS = {"mmdebstrap": "mmdebstrap", "gpg": "gpg", **BUILDER}
# Docs go as in Debian's own slim images; copyright files stay, licences ask for them.
OPTIONS = (
    "--variant=minbase",
    "--aptopt=APT::Install-Recommends false",
    "--aptopt=Acquire::Retries 3",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-include=/usr/share/doc/*/copyright",
    "--dpkgopt=path-exclude=/usr/share/info/*",
    "--dpkgopt=path-exclude=/usr/share/lintian/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--skip=output/dev",  # device nodes: the runtime makes its own, and only root could unpack these
    # The name and the resolver of the machine that made it are nobody's business.
    '--customize-hook=for file in hostname resolv.conf; do install -m 644 /dev/null "$1/etc/$file"; done',
)
# Testing's lists are good for a week, and a mirror that lags would end the build. They are signed all the same, and an
# image is kept for longer than that.
LAGGING = "--aptopt=Acquire::Check-Valid-Until false"
TESTING = "forky"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Recipe(NamedTuple):
    """How an image is made: the Debian release below it, the folder in `bases/` ("" is Debian itself), arguments."""

    debian: str
    folder: str = ""
    arguments: Mapping[str, str] = {}
    expected: float = 20  # seconds, on two cores

    @property
    def below(self) -> str:
        """The image that this one starts from."""
        return f"docker.io/library/debian:{self.debian}-slim"

    def digest(self) -> str:
        """A short hash of everything that the recipe says; the versions that Debian has today are not in it."""
        said = hashlib.sha256(
            json.dumps([self.debian, self.folder, dict(self.arguments), OPTIONS, oci.architecture()]).encode()
        )
        files = [RECIPES / "tidy", *sorted((RECIPES / self.folder).iterdir() if self.folder else ())]
        for file in files:
            said.update(file.name.encode() + b"\0" + file.read_bytes())
        return said.hexdigest()[:12]


def need(sink: Sink) -> None:
    """See to it that images can be made here.

    Raises:
        MissingTool: no root, or a program that can't be installed.
    """
    if os.geteuid() != 0:
        raise MissingTool(
            "making base images from Debian packages needs root",
            hint="run it with sudo, or where docker.io can be reached",
        )
    programs.ensure(PROGRAMS, sink)


def make_debian(recipe: Recipe, reference: str, to: Path, say: Callable[[str], None]) -> None:
    """Bootstrap a minimal Debian and write its archive."""
    with tempfile.TemporaryDirectory(dir=to.parent) as folder:
        tar = Path(folder) / "debian.tar"
        tidy = f'--customize-hook=sh "{RECIPES / "tidy"}" "$1"'
        options = [*OPTIONS, *([LAGGING] if recipe.debian == TESTING else [])]
        follow(["mmdebstrap", *options, tidy, recipe.debian, tar], say, env={"SOURCE_DATE_EPOCH": "0"})
        say("compressing")
        whole = blobs.Blob(tar, 0, tar.stat().st_size)
        layer = tarballs.layer_of_tar(whole, Path(folder), f"mmdebstrap {recipe.debian}")
        layout.archive(oci.scratch([layer], {"Env": [f"PATH={PATH}"], "Cmd": ["bash"]}), [reference], to)


def make(
    recipe: Recipe,
    below: oci.Image,
    reference: str,
    to: Path,
    say: Callable[[str], None],
    *,
    interpreter: Path | None = None,
) -> None:
    """Build a recipe on `below` (which buildah's storage has under its name) and write its archive; the folder of an
    interpreter is shown to it, where it takes one from this machine.

    The layers of `below` are taken over as they are, so that a node keeps them once for all images.
    """
    scratch = f"localhost/nuages-making/{recipe.folder}:{recipe.digest()}"
    arguments = {"DEBIAN": recipe.debian, **recipe.arguments}
    with tempfile.TemporaryDirectory(dir=to.parent) as temporary:
        folder = Path(temporary) / "layout"
        # One at a time: apt locks its lists, which lie on a mount that all builds share.
        with locked(to.parent / ".building.lock", silent, "another base image"):
            follow(
                [
                    *("buildah", "build", "--layers=false", "--pull-never", "--timestamp=0", "--identity-label=false"),
                    "--network=host",  # a network of its own would leave a bridge behind
                    *(f"--build-arg={name}={value}" for name, value in arguments.items()),
                    *([f"--volume={interpreter}:/run/interpreter:ro"] if interpreter else []),
                    *("--file", RECIPES / recipe.folder / "Containerfile", "--tag", scratch, RECIPES),
                ],
                say,
            )
        say("compressing")
        try:
            run(["buildah", "push", "--quiet", scratch, f"oci:{folder}"])
        finally:
            run(["buildah", "rmi", scratch])
        built = layout.read(folder)
        known = {layer.diff_id: layer for layer in below.layers}
        fresh = [layer for layer in built.layers if layer.diff_id not in known]
        environment = {name: value for layer in fresh for name, value in learned(layer.blob.path).items()}
        layers = [known.get(layer.diff_id, layer) for layer in built.layers]
        layout.archive(oci.append(oci.image(json.loads(built.config), layers), env=environment), [reference], to)


def learned(layer: Path) -> dict[str, str]:
    """What a recipe left in /etc/image-env of its layer."""
    with tarfile.open(layer, "r:*") as tar:
        for member in tar:
            if member.name.lstrip("./") == "etc/image-env" and (content := tar.extractfile(member)):
                return dict(line.partition("=")[::2] for line in content.read().decode().split())
    return {}
