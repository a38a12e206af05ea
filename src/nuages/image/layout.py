"""Images as files of the OCI image layout: a folder, or one archive for `ctr images import` or `buildah pull`.

Reading copies nothing: layers stay where they are, as ranges of the archive.
https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
"""

from __future__ import annotations

import json
import os
import tarfile
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from nuages.app.objects import Object
from nuages.errors import ImageInvalid
from nuages.image.blobs import Blob, Checked, pieces
from nuages.image.oci import MANIFEST, Image, Layer, canonical, digest, scratch
from nuages.image.tarballs import Entry, add

# containerd names an imported image by the first, buildah, podman and skopeo by the second.
NAME_ANNOTATIONS = ("io.containerd.image.name", "org.opencontainers.image.ref.name")


def read(source: Path, reference: str | None = None) -> Image:
    """The image in an OCI archive or folder; of several the one called `reference`. Layers stay where they are.

    Raises:
        ImageInvalid: it is no OCI layout, has no such image, or has several and none was named.
    """
    blobs = _blobs(source)
    descriptors = _index(blobs, source)
    if reference is not None:
        descriptors = [found for found in descriptors if reference in _names(found)]
    digests = {found["digest"] for found in descriptors}
    if len(digests) != 1:
        asked = f"called {reference}" if reference else "to choose without a name"
        raise ImageInvalid(f"{source} has {len(digests)} images {asked}", hint="name one of its references")
    manifest = _read(blobs, digests.pop(), source)
    parsed: Object = json.loads(manifest)
    if "layers" not in parsed:
        raise ImageInvalid(f"{source} has an index of several platforms where one image is wanted")
    config = _read(blobs, parsed["config"]["digest"], source)
    diff_ids: list[str] = json.loads(config)["rootfs"]["diff_ids"]
    return Image(
        config,
        manifest,
        tuple(
            Layer(found["digest"], diff_id, _blob(blobs, found["digest"], source), found["mediaType"])
            for found, diff_id in zip(parsed["layers"], diff_ids, strict=True)
        ),
    )


def references(source: Path) -> list[str]:
    """The names that the images in an OCI archive or folder carry, each once."""
    named = (name for found in _index(_blobs(source), source) for name in _names(found))
    return list(dict.fromkeys(named))


def archive(content: Image, references: Sequence[str], to: Path, *, without: Collection[str] = ()) -> Path:
    """Write an image as one OCI archive under these references; the file appears whole or not at all. Answers `to`.

    Left out are the layers whose digests are in `without`: who reads it has them.

    Raises:
        ImageInvalid: a layer's bytes are not those that its digest promises.
    """
    descriptor = {"mediaType": MANIFEST, "digest": content.digest, "size": len(content.manifest)}
    named = [{**descriptor, "annotations": dict.fromkeys(NAME_ANNOTATIONS, reference)} for reference in references]
    index = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": named or [descriptor],
    }
    with _whole(to) as stream, tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
        add(tar, Entry("oci-layout", 0o644, b'{"imageLayoutVersion":"1.0.0"}'))
        add(tar, Entry("index.json", 0o644, canonical(index)))
        for folder in ("blobs", "blobs/sha256"):
            add(tar, Entry(folder))
        for data in (content.manifest, content.config):
            add(tar, Entry(_member(digest(data)), 0o644, data))
        for one in {layer.digest: layer for layer in content.layers if layer.digest not in without}.values():
            header = tarfile.TarInfo(_member(one.digest))
            header.size = one.blob.size
            tar.addfile(header, Checked(one.blob, one.digest))
    return to


def scratch_image(
    reference: str, entrypoint: Sequence[str], layers: Sequence[Layer], to: Path, *, settings: Object | None = None
) -> Path:
    """Write an archive of an image that is these layers and one entrypoint (a static program, say); answers `to`."""
    return archive(scratch(layers, {**(settings or {}), "Entrypoint": list(entrypoint)}), [reference], to)


@contextmanager
def _whole(to: Path) -> Iterator[IO[bytes]]:
    to.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=to.parent, prefix=f".{to.name}-")
    fresh = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
        fresh.chmod(0o644)
        fresh.replace(to)
    finally:
        fresh.unlink(missing_ok=True)


def _blobs(source: Path) -> dict[str, Blob]:
    """Every file of a layout by its path in it."""
    if source.is_dir():
        files = (path for path in source.rglob("*") if path.is_file())
        return {str(path.relative_to(source)): Blob(path, 0, path.stat().st_size) for path in files}
    try:
        with tarfile.open(source, "r:") as tar:
            return {
                member.name.removeprefix("./"): Blob(source, member.offset_data, member.size)
                for member in tar
                if member.isfile()
            }
    except (OSError, tarfile.TarError) as error:
        raise ImageInvalid(f"{source} is no OCI archive: {error}") from error


def _index(blobs: dict[str, Blob], source: Path) -> list[Object]:
    if "index.json" not in blobs:
        raise ImageInvalid(
            f"{source} is no OCI layout: it has no index.json",
            hint="make it with `buildah push IMAGE oci-archive:FILE`",
        )
    manifests: list[Object] = json.loads(b"".join(pieces(blobs["index.json"])))["manifests"]
    return manifests


def _names(descriptor: Object) -> list[str]:
    annotations = descriptor.get("annotations") or {}
    return [annotations[key] for key in NAME_ANNOTATIONS if key in annotations]


def _blob(blobs: dict[str, Blob], wanted: str, source: Path) -> Blob:
    if (found := blobs.get(_member(wanted))) is None:
        raise ImageInvalid(f"{source} lacks the blob {wanted}")
    return found


def _read(blobs: dict[str, Blob], wanted: str, source: Path) -> bytes:
    data = b"".join(pieces(_blob(blobs, wanted, source)))
    if digest(data) != wanted:
        raise ImageInvalid(f"{source} was damaged: {wanted} has other bytes")
    return data


def _member(digested: str) -> str:
    algorithm, _, value = digested.partition(":")
    return f"blobs/{algorithm}/{value}"
