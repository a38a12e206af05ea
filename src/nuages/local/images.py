"""Images of the cluster's own programs, from scratch, and how any image comes into the node."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from nuages.errors import CommandFailed
from nuages.host.command import run
from nuages.host.places import cache
from nuages.image import layout, oci
from nuages.image.layout import scratch_image
from nuages.image.tarballs import Entry, layer
from nuages.local import toolchain
from nuages.local.versions import (
    BUCKET_IMAGE,
    CERT_MANAGER_IMAGE,
    COREDNS_IMAGE,
    LOCAL_PATH_IMAGE,
    METRICS_IMAGE,
    PAUSE_IMAGE,
    PEBBLE_IMAGE,
    REGISTRY_IMAGE,
    SOLVER_IMAGE,
    TRAEFIK_IMAGE,
)

# The user that upstream's distroless images run as.
NOBODY = "65532:65532"


class Static(NamedTuple):
    """An image of static programs: its name, the programs, the first being the entrypoint, and who runs it."""

    reference: str
    programs: tuple[str, ...]
    user: str = NOBODY


PAUSE = Static(PAUSE_IMAGE, ("pause",), "65535:65535")
COREDNS = Static(COREDNS_IMAGE, ("coredns",))
LOCAL_PATH = Static(LOCAL_PATH_IMAGE, ("local-path-provisioner", "volume"), "0:0")
TRAEFIK = Static(TRAEFIK_IMAGE, ("traefik",))
METRICS = Static(METRICS_IMAGE, ("metrics-server",))
REGISTRY = Static(REGISTRY_IMAGE, ("registry",))
CERT_MANAGER = Static(CERT_MANAGER_IMAGE, ("cert-manager",))
SOLVER = Static(SOLVER_IMAGE, ("acmesolver",))
PEBBLE = Static(PEBBLE_IMAGE, ("pebble",))  # an ACME server for tests
BUCKET = Static(BUCKET_IMAGE, ("versitygw",))


def archive(image: Static, bin_: Path) -> Path:
    """An OCI archive of the image, made once for each build of its programs."""
    folder = cache() / "images" / "-".join(toolchain.key(name) for name in image.programs)
    kept = folder / f"{image.programs[0]}.tar"
    if kept.exists():
        return kept
    folders = [Entry("tmp", 0o1777), Entry("usr"), Entry("usr/bin")]
    programs = [Entry(f"usr/bin/{name}", source=bin_ / name) for name in image.programs]
    users = Entry("etc/passwd", 0o644, b"root:x:0:0::/:/\nnonroot:x:65532:65532::/:/\n")
    content = layer([*folders, *programs, Entry("etc"), users], folder / "layers")
    settings = {"User": image.user, "Env": ["PATH=/usr/bin"], "WorkingDir": "/"}
    return scratch_image(image.reference, [f"/usr/bin/{image.programs[0]}"], [content], kept, settings=settings)


def load(socket: str, archives: list[Path]) -> None:
    """Import archives (OCI, or what `docker save` writes) where the kubelet looks for images: namespace k8s.io."""
    for one in archives:
        run(["ctr", f"--address={socket}", "--namespace=k8s.io", "images", "import", "--digests", one])


def load_image(socket: str, image: oci.Image, references: Sequence[str]) -> int:
    """Bring an image to the node under these references: only layers that it lacks; answers how many these were.

    Of a change of code that is one small layer, where the whole archive has tens of MiB.
    """
    there = contents(socket)
    missing = [layer for layer in image.layers if layer.digest not in there]
    with tempfile.TemporaryDirectory(prefix="nuages-") as folder:
        try:
            load(socket, [layout.archive(image, references, Path(folder) / "image.tar", without=there)])
        except CommandFailed:
            # Between question and import a layer can have been collected there.
            load(socket, [layout.archive(image, references, Path(folder) / "whole.tar")])
    return len(missing)


def contents(socket: str) -> set[str]:
    """The digests of all blobs that the node has."""
    return set(run(["ctr", f"--address={socket}", "--namespace=k8s.io", "content", "list", "--quiet"]).split())


def names(socket: str) -> set[str]:
    """The references of all images that the kubelet finds in the node."""
    return set(run(["ctr", f"--address={socket}", "--namespace=k8s.io", "images", "list", "--quiet"]).split())
