"""The bytes of images where they lie: whole files, or ranges of an archive, so that reading an image copies nothing."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

from nuages.errors import ImageInvalid

if TYPE_CHECKING:
    from typing_extensions import Buffer

_CHUNK = 1 << 20


class Blob(NamedTuple):
    """Where bytes lie: a whole file, or a range of an archive, so that reading an image copies nothing."""

    path: Path
    offset: int
    size: int


def pieces(blob: Blob, size: int = _CHUNK) -> Iterator[bytes]:
    """The bytes of a blob, in pieces of at most this size."""
    with blob.path.open("rb") as file:
        file.seek(blob.offset)
        left = blob.size
        while left and (piece := file.read(min(size, left))):
            left -= len(piece)
            yield piece


def opened(blob: Blob) -> IO[bytes]:
    """A blob as a file to read."""
    return io.BufferedReader(_Range(blob), _CHUNK)


class Checked(io.RawIOBase):
    """A blob's bytes as a stream that refuses to end where they are not what the digest promises."""

    def __init__(self, blob: Blob, digest: str) -> None:
        """Read a blob that is said to have this digest."""
        self._blob, self._digest = blob, digest
        self._chunks = pieces(blob)
        self._rest = b""
        self._hash = hashlib.sha256()
        self._left = blob.size

    def read(self, size: int = -1) -> bytes:
        """The next bytes.

        Raises:
            ImageInvalid: at the end, where they were not those of the digest.
        """
        while len(self._rest) < size and (chunk := next(self._chunks, b"")):
            self._rest += chunk
        given, self._rest = self._rest[:size], self._rest[size:]
        self._hash.update(given)
        self._left -= len(given)
        if self._left == 0 and f"sha256:{self._hash.hexdigest()}" != self._digest:
            raise ImageInvalid(
                f"{self._blob.path} was damaged: layer {self._digest} has other bytes",
                hint="remove the file",
            )
        return given


class _Range(io.RawIOBase):
    """A part of a file, from its beginning to its end."""

    def __init__(self, blob: Blob) -> None:
        self._file = blob.path.open("rb")
        self._file.seek(blob.offset)
        self._left = blob.size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int:
        wanted = memoryview(buffer)[: self._left]
        size = self._file.readinto(wanted)
        self._left -= size
        return size

    def close(self) -> None:
        self._file.close()
        super().close()
