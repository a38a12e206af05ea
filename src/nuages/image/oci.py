"""Images as plain files: layers, config, manifest and archive of the OCI image format, without an engine or a right.

    read_layout ─▶ Image ─▶ append(layers) ─▶ Image ─▶ archive ─▶ one .tar for `ctr images import` or `buildah pull`
    layer(entries) ─▶ Layer ─┘

The same input gives the same bytes: entries are sorted, times are 0, owners are said, gzip's pieces are fixed. So an
image's digest (the sha256 of its manifest) tells whether anything changed. In memory are only names and JSON.
Format: https://github.com/opencontainers/image-spec (image-layout, manifest, config, layer).
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import tarfile
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import IO, NamedTuple

from nuages.app.objects import Object
from nuages.errors import ImageInvalid
from nuages.host.files import replace
from nuages.image.blobs import Blob, Checked, pieces
from nuages.image.packing import FORMAT, stored

EPOCH = "1970-01-01T00:00:00Z"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
TAR = "application/vnd.oci.image.layer.v1.tar"
TAR_GZIP = TAR + "+gzip"
# containerd names an imported image by the first, buildah, podman and skopeo by the second.
NAME_ANNOTATIONS = ("io.containerd.image.name", "org.opencontainers.image.ref.name")
_CHUNK = 1 << 20
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


class Entry(NamedTuple):
    """One path of a layer: a file (`source` is its content or its path), a symbolic link (`target`), else a folder.

    `time` is 0, but for what is told apart by it: servers make an ETag of it.
    """

    path: str
    mode: int = 0o755
    source: Path | bytes | None = None
    target: str | None = None
    uid: int = 0
    gid: int = 0
    time: int = 0


class Layer(NamedTuple):
    """A layer: `digest` is the blob's as stored and moved, `diff_id` the tar's in it; `note` says what made it."""

    digest: str
    diff_id: str
    blob: Blob
    media_type: str = TAR_GZIP
    note: str = ""


class Image(NamedTuple):
    """An image: its config and manifest as bytes (their digests are promises), and its layers, lowest first."""

    config: bytes
    manifest: bytes
    layers: tuple[Layer, ...]

    @property
    def digest(self) -> str:
        """What `repository@sha256:...` names."""
        return _digest(self.manifest)

    @property
    def id(self) -> str:
        """The digest of the config: what engines call the image's id."""
        return _digest(self.config)

    @property
    def settings(self) -> Object:
        """What a container of it starts with: Env, Entrypoint, Cmd, User, WorkingDir, Labels, Volumes, StopSignal."""
        settings: Object = json.loads(self.config).get("config") or {}
        return settings

    @property
    def env(self) -> dict[str, str]:
        """The variables that a container of it has."""
        return dict(pair.partition("=")[::2] for pair in self.settings.get("Env") or ())


def tree(
    folder: Path, into: str = "", *, uid: int = 0, gid: int = 0, wanted: Callable[[str], bool] | None = None
) -> Iterator[Entry]:
    """Everything below a folder as entries below `into`, modes made 755 or 644: a checkout's umask changes no digest.

    `wanted` is asked with each path relative to the folder; a folder it refuses is not entered. Sockets and devices are
    left out.
    """
    for found in sorted(folder.iterdir()):
        if wanted is not None and not wanted(found.name):
            continue
        path = f"{into}/{found.name}".lstrip("/")
        if found.is_symlink():
            yield Entry(path, 0o777, target=str(found.readlink()), uid=uid, gid=gid)
        elif found.is_dir():
            yield Entry(path, 0o755, uid=uid, gid=gid)
            below = None if wanted is None else _below(wanted, found.name)
            yield from tree(found, path, uid=uid, gid=gid, wanted=below)
        elif found.is_file():
            executable = found.stat().st_mode & 0o111
            yield Entry(path, 0o755 if executable else 0o644, source=found, uid=uid, gid=gid)


def layer(entries: Iterable[Entry], store: Path, note: str = "") -> Layer:
    """Write entries as one compressed layer into the folder `store`, sorted by path, all times 0.

    Raises:
        ImageInvalid: two entries have the same path.
    """
    ordered = sorted(entries, key=lambda entry: entry.path)
    for one, other in pairwise(ordered):
        if one.path == other.path:
            raise ImageInvalid(f"two entries of one layer are called {one.path}")
    # Reading the files costs a tenth of compressing them, and most layers are those of the build before.
    remembered = store / f"{_content(ordered)}.made"
    if known := _made_before(remembered, store):
        return Layer(*known, TAR_GZIP, note)

    def write(stream: io.RawIOBase) -> None:
        with tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT, bufsize=_CHUNK) as tar:
            for entry in ordered:
                _add(tar, entry)

    made = stored(write, store)
    replace(remembered, f"{made.digest} {made.plain}\n")
    return Layer(*made, TAR_GZIP, note)


def layer_of_tar(tar: Blob, store: Path, note: str = "") -> Layer:
    """Compress a tar that another program made into a layer in the folder `store`; the tar itself is not changed."""

    def write(stream: io.RawIOBase) -> None:
        stream.writelines(pieces(tar))

    return Layer(*stored(write, store), TAR_GZIP, note)


def image(config: Object, layers: Sequence[Layer]) -> Image:
    """Config and layers made an image: the config's `rootfs` is set, and the manifest names everything by digest."""
    encoded = _canonical({**config, "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]}})
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, "digest": _digest(encoded), "size": len(encoded)},
        "layers": [
            {"mediaType": layer.media_type, "digest": layer.digest, "size": layer.blob.size} for layer in layers
        ],
    }
    return Image(encoded, _canonical(manifest), tuple(layers))


def scratch(layers: Sequence[Layer], settings: Object) -> Image:
    """An image from nothing but these layers; `settings` are the OCI config's keys (Entrypoint, Env, ...)."""
    base = {
        "created": EPOCH,
        "architecture": architecture(),
        "os": "linux",
        "config": settings,
        "history": _history(layers),
    }
    return image(base, layers)


def scratch_image(
    reference: str, entrypoint: Sequence[str], layers: Sequence[Layer], to: Path, *, settings: Object | None = None
) -> Path:
    """Write an archive of an image that is these layers and one entrypoint (a static program, say); answers `to`."""
    return archive(scratch(layers, {**(settings or {}), "Entrypoint": list(entrypoint)}), [reference], to)


def append(
    base: Image,
    layers: Sequence[Layer] = (),
    *,
    settings: Object | None = None,
    env: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
) -> Image:
    """An image with layers on top; `settings` replace the base's keys, `env` and `labels` are merged by name.

    A new Entrypoint drops the base's Cmd, as a Dockerfile's does: its arguments were meant for another program.
    """
    config: Object = json.loads(base.config)
    merged = {**base.settings, **(settings or {})}
    if settings and "Entrypoint" in settings and "Cmd" not in settings:
        merged.pop("Cmd", None)
    if env:
        merged["Env"] = [f"{name}={value}" for name, value in {**base.env, **env}.items()]
    if labels:
        merged["Labels"] = {**(merged.get("Labels") or {}), **labels}
    config["config"] = merged
    config["history"] = [*(config.get("history") or _history(base.layers)), *_history(layers)]
    return image(config, [*base.layers, *layers])


def read_layout(source: Path, reference: str | None = None) -> Image:
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
        _add(tar, Entry("oci-layout", 0o644, b'{"imageLayoutVersion":"1.0.0"}'))
        _add(tar, Entry("index.json", 0o644, _canonical(index)))
        for folder in ("blobs", "blobs/sha256"):
            _add(tar, Entry(folder))
        for data in (content.manifest, content.config):
            _add(tar, Entry(_member(_digest(data)), 0o644, data))
        for one in {layer.digest: layer for layer in content.layers if layer.digest not in without}.values():
            header = tarfile.TarInfo(_member(one.digest))
            header.size = one.blob.size
            tar.addfile(header, Checked(one.blob, one.digest))
    return to


def architecture() -> str:
    """The machine's architecture as images call it."""
    machine = platform.machine()
    return _ARCHITECTURES.get(machine, machine)


def _content(ordered: Sequence[Entry]) -> str:
    """All that decides the bytes of a layer, as a hash."""
    said = hashlib.sha256(f"{FORMAT}".encode())
    for entry in ordered:
        if isinstance(entry.source, Path):
            with entry.source.open("rb") as content:
                source = hashlib.file_digest(content, "sha256").hexdigest()
        else:
            source = hashlib.sha256(entry.source).hexdigest() if entry.source is not None else "none"
        timed = (entry.time,) if entry.time else ()
        said.update(repr((entry.path, entry.mode, entry.target, entry.uid, entry.gid, source, *timed)).encode())
    return said.hexdigest()


def _made_before(remembered: Path, store: Path) -> tuple[str, str, Blob] | None:
    """Digest, diff id and blob of a layer that was made of the same content, if it is still there."""
    try:
        digest, diff_id = remembered.read_text().split()
        blob = store / digest.removeprefix("sha256:")
        found = digest, diff_id, Blob(blob, 0, blob.stat().st_size)
        remembered.touch()
        blob.touch()  # who prunes looks at the time
    except (FileNotFoundError, ValueError):
        return None
    return found


def _add(tar: tarfile.TarFile, entry: Entry) -> None:
    header = tarfile.TarInfo(entry.path)
    header.mode, header.uid, header.gid, header.mtime = entry.mode, entry.uid, entry.gid, entry.time
    if entry.target is not None:
        header.type, header.linkname = tarfile.SYMTYPE, entry.target
        tar.addfile(header)
    elif entry.source is None:
        header.type = tarfile.DIRTYPE
        tar.addfile(header)
    elif isinstance(entry.source, bytes):
        header.size = len(entry.source)
        tar.addfile(header, io.BytesIO(entry.source))
    else:
        with entry.source.open("rb") as content:
            header.size = os.fstat(content.fileno()).st_size
            tar.addfile(header, content)


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


def _blob(blobs: dict[str, Blob], digest: str, source: Path) -> Blob:
    if (found := blobs.get(_member(digest))) is None:
        raise ImageInvalid(f"{source} lacks the blob {digest}")
    return found


def _read(blobs: dict[str, Blob], digest: str, source: Path) -> bytes:
    data = b"".join(pieces(_blob(blobs, digest, source)))
    if _digest(data) != digest:
        raise ImageInvalid(f"{source} was damaged: {digest} has other bytes")
    return data


def _below(wanted: Callable[[str], bool], folder: str) -> Callable[[str], bool]:
    return lambda path: wanted(f"{folder}/{path}")


def _history(layers: Sequence[Layer]) -> list[Object]:
    return [{"created": EPOCH, "created_by": layer.note or "nuages"} for layer in layers]


def _member(digest: str) -> str:
    algorithm, _, value = digest.partition(":")
    return f"blobs/{algorithm}/{value}"


def _canonical(document: Object) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
