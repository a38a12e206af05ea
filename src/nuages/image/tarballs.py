"""Layers of files: every path is an entry of a tar, compressed under its digest.

The same input gives the same bytes: entries are sorted, times are 0, owners are said, gzip's pieces are fixed.
https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md
"""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from nuages.errors import ImageInvalid
from nuages.host.files import replace
from nuages.image.blobs import Blob, pieces
from nuages.image.oci import TAR_GZIP, Layer
from nuages.image.packing import FORMAT, stored

_CHUNK = 1 << 20


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
                add(tar, entry)

    made = stored(write, store)
    replace(remembered, f"{made.digest} {made.plain}\n")
    return Layer(*made, TAR_GZIP, note)


def layer_of_tar(tar: Blob, store: Path, note: str = "") -> Layer:
    """Compress a tar that another program made into a layer in the folder `store`; the tar itself is not changed."""

    def write(stream: io.RawIOBase) -> None:
        stream.writelines(pieces(tar))

    return Layer(*stored(write, store), TAR_GZIP, note)


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


def add(tar: tarfile.TarFile, entry: Entry) -> None:
    """Write one entry."""
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


def _below(wanted: Callable[[str], bool], folder: str) -> Callable[[str], bool]:
    return lambda path: wanted(f"{folder}/{path}")
