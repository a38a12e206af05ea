"""Compressed files under their digests: gzip by several threads at once, and the same bytes whatever their number.

    what is written ─▶ pieces of one size ─▶ each compressed, knowing the end of the one before ─▶ one gzip member

As pigz does it (https://zlib.net/pigz/pigz.pdf): a reader sees one ordinary stream, which is no larger than by one
thread. zlib frees the interpreter while it compresses.
"""

from __future__ import annotations

import hashlib
import io
import os
import struct
import tempfile
import zlib
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple

from nuages.image.blobs import Blob

if TYPE_CHECKING:
    from typing_extensions import Buffer

LEVEL = 6
PIECE = 1 << 20  # bytes
# Counted up when the same content gives other bytes: whatever remembers a layer has it in its key.
FORMAT = 2
_WINDOW = 1 << 15  # how far back deflate looks
# No name, no time, an unknown system: RFC 1952, 2.3.
_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"


class Packed(NamedTuple):
    """What was written, compressed: its digest, that of what was written, and where it lies."""

    digest: str
    plain: str
    blob: Blob


def stored(write: Callable[[io.RawIOBase], None], store: Path) -> Packed:
    """Compress what `write` writes into a file of the folder `store` that is called by its digest; it is there whole or
    not at all.
    """
    store.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=store, prefix=".layer-")
    fresh = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            packed = _Hashed(file.write)
            with Gzip(packed.write) as compressed:
                plain = _Hashed(compressed.write)
                write(plain)
        blob = store / packed.digest.removeprefix("sha256:")
        fresh.replace(blob)
    finally:
        fresh.unlink(missing_ok=True)
    return Packed(packed.digest, plain.digest, Blob(blob, 0, packed.size))


class Gzip:
    """Compresses what is written to it, and gives it on in its order; whole when the `with` ends."""

    def __init__(self, to: Callable[[bytes], object], threads: int = 0) -> None:
        """Give compressed bytes to `to`, by so many threads; 0 for as many as this process may use."""
        self._to = to
        self._threads = threads or len(os.sched_getaffinity(0))
        self._pool = ThreadPoolExecutor(self._threads)
        self._under_way: deque[Future[bytes]] = deque()
        self._piece = bytearray()
        self._before = b""
        self._sum = self._size = 0

    def __enter__(self) -> Gzip:
        self._to(_HEADER)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._begin(bytes(self._piece), last=True)
                self._give(leave=0)
                self._to(struct.pack("<LL", self._sum, self._size & 0xFFFFFFFF))
        finally:
            self._pool.shutdown(cancel_futures=True)

    def write(self, data: Buffer) -> None:
        """Compress some more."""
        self._piece += data
        while len(self._piece) >= PIECE:
            self._begin(bytes(self._piece[:PIECE]), last=False)
            del self._piece[:PIECE]
            self._give(leave=2 * self._threads)  # what waits in memory has an end

    def _begin(self, piece: bytes, *, last: bool) -> None:
        self._under_way.append(self._pool.submit(_deflated, piece, self._before, last))
        self._sum, self._size = zlib.crc32(piece, self._sum), self._size + len(piece)
        self._before = piece[-_WINDOW:]

    def _give(self, *, leave: int) -> None:
        while len(self._under_way) > leave:
            self._to(self._under_way.popleft().result())


class _Hashed(io.RawIOBase):
    """A write-only stream that passes on what it gets and knows its digest and size."""

    def __init__(self, to: Callable[[Buffer], object]) -> None:
        self._to = to
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, data: Buffer) -> int:
        self._hash.update(data)
        written = len(memoryview(data))
        self.size += written
        self._to(data)
        return written

    @property
    def digest(self) -> str:
        return f"sha256:{self._hash.hexdigest()}"


def _deflated(piece: bytes, before: bytes, last: bool) -> bytes:
    """A piece as a part of a raw deflate stream that ends on a whole byte."""
    packed = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS, zdict=before)
    return packed.compress(piece) + packed.flush(zlib.Z_FINISH if last else zlib.Z_SYNC_FLUSH)
